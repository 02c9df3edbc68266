import { setTimeout as pause } from 'node:timers/promises'
import { classifyConnectFailure } from '@poolguard/core/postgres'
import { type Command, Option } from 'commander'
import { cannotConnect } from '../connect-errors/cannot-connect.ts'
import { type Contact, contact, type Pool } from '../database/contact.ts'
import type { ReadSessionsOptions } from '../database/read-sessions.ts'
import { environment } from '../environment/own-environment.ts'
import { describeLine, type MonitorLine } from '../monitor/describe-line.ts'
import { type LineWriter, rotatingFile, standardOutput } from '../monitor/line-writer.ts'
import { APPLICATION, type Missed, type Sample, takeSample } from '../monitor/sample.ts'
import { type Alert, Watch } from '../monitor/watch.ts'
import { PoolerWatch } from '../monitor/watch-pooler.ts'
import type { Outcome } from '../outcome.ts'
import { interruptible } from '../output/interruptible.ts'
import { paint } from '../output/paint.ts'
import { printable } from '../output/printable.ts'
import { t } from '../output/translate.ts'
import { percent, positive, wholeFrom } from '../read-number.ts'
import { findTarget, requireTarget } from '../target.ts'
import { showQueriesOption } from './show-queries-option.ts'

interface MonitorOptions {
  readonly interval: number
  readonly samples?: number
  readonly file?: string
  readonly maxSize: number
  readonly keep: number
  readonly fullAt: number
  readonly leakSamples: number
  readonly leakGrowth: number
  readonly showQueries: boolean
  readonly poolerUrl?: string
  readonly json?: boolean
  readonly dotenv?: string
}

/** A sample fails if it gets no connection within this time: the next one is due soon. */
const SAMPLE_TIMEOUT_MILLIS = 2_000

const EXAMPLES = `
Examples:
  $ poolguard monitor
  $ poolguard monitor --interval 10 --file /var/log/poolguard.log --max-size 5 --keep 7
  $ poolguard monitor --pooler-url postgresql://stats@pooler:6432/pgbouncer
  $ poolguard monitor --samples 12 --full-at 80 | jq 'select(.alert)'

On a terminal it prints a line for each sample. Otherwise, and with --json, it prints one JSON line for each sample
({ time, used, usable, applications, processes }), each alert ({ alert, time, message }) and each failed sample ({ time, error, full }).
Alerts also go to standard error. Ctrl-C or SIGTERM stops it; the exit code is 1 if there were alerts, or if every sample failed.`

export function addMonitor(program: Command, done: (outcome: Outcome) => void): void {
  program
    .command('monitor')
    .description(
      'Log how many connections each application holds, and alert when the server fills up or a count keeps growing.',
    )
    .argument('[url]', 'URL of the database')
    .addOption(new Option('--interval <seconds>', 'time between samples').argParser(positive).default(5))
    .option('--samples <number>', 'stop after this many samples (default: run until Ctrl-C)', wholeFrom(1))
    .option('--pooler-url <url>', "also sample PgBouncer's pools: URL of its console, as a user in stats_users")
    .option('--file <path>', 'write to this file, with rotation, instead of standard output')
    .addOption(new Option('--max-size <megabytes>', 'rotate the file at this size').argParser(wholeFrom(1)).default(10))
    .addOption(new Option('--keep <number>', 'rotated files to keep').argParser(wholeFrom(1)).default(3))
    .addOption(
      new Option('--full-at <percent>', 'alert when this share of the connections is in use')
        .argParser(percent)
        .default(90),
    )
    .addOption(
      new Option('--leak-samples <number>', 'samples without a decrease before a leak alert')
        .argParser(wholeFrom(2))
        .default(60),
    )
    .addOption(
      new Option('--leak-growth <number>', 'connections gained over those samples').argParser(wholeFrom(1)).default(5),
    )
    .addOption(showQueriesOption())
    .addHelpText('after', EXAMPLES)
    .action(async (url: string | undefined, options: MonitorOptions) => done(await monitor(url, options)))
}

async function monitor(url: string | undefined, options: MonitorOptions): Promise<Outcome> {
  const { file, maxSize, keep, json } = options
  const { database, pooler } = await openSources(url, options)
  await using _database = database
  await using _pooler = pooler
  const isReadable = process.stdout.isTTY && json !== true
  const printed = isReadable ? standardOutput<MonitorLine>(printableLine) : standardOutput<MonitorLine>()
  await using lines = file === undefined ? printed : rotatingFile(file, { megabytes: maxSize, keep })
  const takeOne = async () => await takeSamples(database.pool, pooler, { showsQueries: options.showQueries })
  const { alerts, samples, missed } = await follow(takeOne, lines, options)
  const isUnknown = samples > 0 && missed === samples
  return {
    exitCode: alerts.length > 0 || isUnknown ? 1 : 0,
    text: summary(options, { alerts, samples, missed }, isReadable),
    json: file === undefined ? undefined : { file, samples, missed, alerts },
  }
}

interface Sources {
  readonly database: Contact
  readonly pooler: PoolerWatch | undefined
}

/** @throws {CannotRunError} if the database or the console cannot be reached. A full server or pooler counts as reached. */
async function openSources(url: string | undefined, { dotenv, poolerUrl }: MonitorOptions): Promise<Sources> {
  const place = { folder: process.cwd(), env: environment }
  const target = requireTarget({ url, dotenv, ...place })
  const consoleUrl = poolerUrl === undefined ? undefined : findTarget({ url: poolerUrl, ...place })?.url
  const pooler = consoleUrl && (await PoolerWatch.open(consoleUrl))
  const database = contact(target.url, {
    applicationName: APPLICATION,
    max: 1,
    acquireTimeoutMillis: SAMPLE_TIMEOUT_MILLIS,
  })
  const reached = database.reach().catch((error: Error) => {
    // Monitoring a full server is a normal start.
    if (classifyConnectFailure(error) === 'full') return
    throw cannotConnect(target.url, error)
  })
  // Behind a full pooler no connection may come for a long time, and its console still answers.
  const started = pooler ? Promise.race([reached, pause(SAMPLE_TIMEOUT_MILLIS)]) : reached
  try {
    await started
    return { database, pooler }
  } catch (error) {
    await database[Symbol.asyncDispose]()
    await pooler?.[Symbol.asyncDispose]()
    throw error
  }
}

async function takeSamples(
  pool: Pool,
  pooler: PoolerWatch | undefined,
  options: ReadSessionsOptions,
): Promise<Sample | Missed> {
  const [sample, pools] = await Promise.all([takeSample(pool, options), pooler?.sample()])
  return pools ? { ...sample, pooler: pools } : sample
}

function printableLine(line: MonitorLine): string | undefined {
  const text = describeLine(line)
  return text === undefined ? undefined : printable(text)
}

interface Followed {
  readonly alerts: readonly Alert[]
  readonly samples: number
  /** Failed samples. */
  readonly missed: number
}

/** Without a terminal, standard output carries the JSON lines only. */
function summary({ file }: MonitorOptions, { samples, missed, alerts }: Followed, isReadable: boolean): string {
  if (file !== undefined) {
    return `Wrote ${samples} samples to ${file}: ${missed} failed, ${alerts.length} alerts.`
  }
  return isReadable ? t`${samples} samples: ${missed} failed, ${alerts.length} alerts.` : ''
}

async function follow(
  takeOne: () => Promise<Sample | Missed>,
  lines: LineWriter<MonitorLine>,
  { interval, samples = Infinity, fullAt, leakSamples, leakGrowth }: MonitorOptions,
): Promise<Followed> {
  const watch = new Watch({ fullAt: fullAt / 100, leakSamples, leakGrowth })
  await using interruption = interruptible()
  const alerts: Alert[] = []
  let taken = 0
  let missed = 0
  while (!interruption.signal.aborted && taken < samples) {
    const sample = await takeOne()
    taken++
    if ('error' in sample) missed++
    await lines.write(sample)
    const raised = watch.check(sample)
    for (const alert of raised) {
      process.stderr.write(`${printable(`${paint('red', alert.alert)}: ${alert.message}`)}\n`)
      await lines.write(alert)
    }
    alerts.push(...raised)
    if (taken < samples) await pause(interval * 1_000, undefined, { signal: interruption.signal }).catch(() => {})
  }
  return { alerts, samples: taken, missed }
}
