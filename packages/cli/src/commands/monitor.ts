import { setTimeout as pause } from 'node:timers/promises'
import { classifyConnectFailure, describeAddress } from '@poolguard/core/postgres'
import { type Command, Option } from 'commander'
import { contact } from '../database/contact.ts'
import { environment } from '../environment/own-environment.ts'
import { type LineWriter, rotatingFile, standardOutput } from '../monitor/line-writer.ts'
import { APPLICATION, takeSample } from '../monitor/sample.ts'
import { type Alert, Watch } from '../monitor/watch.ts'
import { CannotRunError, type Outcome } from '../outcome.ts'
import { paint } from '../output/paint.ts'
import { printable } from '../output/printable.ts'
import { percent, positive, wholeFrom } from '../read-number.ts'
import { requireTarget } from '../target.ts'

interface MonitorOptions {
  readonly interval: number
  readonly samples?: number
  readonly file?: string
  readonly maxSize: number
  readonly keep: number
  readonly fullAt: number
  readonly leakSamples: number
  readonly leakGrowth: number
  readonly json?: boolean
  readonly dotenv?: string
}

/** Where no connection is to be had for so long, the look is missed: the next one is due. */
const LOOK_MILLIS = 2_000

const EXAMPLES = `
Examples:
  $ poolguard monitor
  $ poolguard monitor --interval 10 --file /var/log/poolguard.log --max-size 5 --keep 7
  $ poolguard monitor --samples 12 --full-at 80 | jq 'select(.alert)'

A line of JSON for each look ({ time, used, usable, applications }), for each alert ({ alert, time, message }), and for each
look that failed ({ time, error, full }). Alerts are said on standard error, too. Ctrl-C ends it: with 1 if there were alerts, or no answer at all.`

export function addMonitor(program: Command, done: (outcome: Outcome) => void): void {
  program
    .command('monitor')
    .description(
      'Who holds how many connections, as JSON lines, and an alert when the server fills or a count only grows.',
    )
    .argument('[url]', 'connection string of the database')
    .addOption(new Option('--interval <seconds>', 'between two looks').argParser(positive).default(5))
    .option('--samples <number>', 'end after so many looks (default: go on)', wholeFrom(1))
    .option('--file <path>', 'write the lines to a file, which is rotated, instead of standard output')
    .addOption(new Option('--max-size <megabytes>', 'of the file').argParser(wholeFrom(1)).default(10))
    .addOption(new Option('--keep <number>', 'older files that are kept').argParser(wholeFrom(1)).default(3))
    .addOption(
      new Option('--full-at <percent>', 'alert where so much of the connections is taken')
        .argParser(percent)
        .default(90),
    )
    .addOption(
      new Option('--leak-samples <number>', 'looks in which a count never went down')
        .argParser(wholeFrom(2))
        .default(60),
    )
    .addOption(
      new Option('--leak-growth <number>', 'connections that it has grown by meanwhile')
        .argParser(wholeFrom(1))
        .default(10),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (url: string | undefined, options: MonitorOptions) => done(await monitor(url, options)))
}

async function monitor(url: string | undefined, options: MonitorOptions): Promise<Outcome> {
  const { file, maxSize, keep, dotenv } = options
  const target = requireTarget({ url, dotenv, folder: process.cwd(), env: environment })
  await using database = contact(target.url, {
    applicationName: APPLICATION,
    max: 1,
    acquireTimeoutMillis: LOOK_MILLIS,
  })
  await database.reach().catch((error: Error) => {
    // A server that is full is what it is there for.
    if (classifyConnectFailure(error) === 'full') return
    throw new CannotRunError(`${describeAddress(target.url)} cannot be reached: ${error.message}.`)
  })
  await using lines = file === undefined ? standardOutput() : rotatingFile(file, { megabytes: maxSize, keep })
  const { alerts, samples, missed } = await follow(database.pool, lines, options)
  return {
    // Where no look was answered, nothing is known to be fine.
    exitCode: alerts.length > 0 || (samples > 0 && missed === samples) ? 1 : 0,
    // Standard output belongs to the lines.
    text:
      file === undefined
        ? ''
        : `${samples} looks written to ${file}, ${missed} without an answer, ${alerts.length} alerts.`,
    json: file === undefined ? undefined : { file, samples, missed, alerts },
  }
}

async function follow(
  pool: Parameters<typeof takeSample>[0],
  lines: LineWriter,
  { interval, samples = Infinity, fullAt, leakSamples, leakGrowth }: MonitorOptions,
): Promise<{ alerts: readonly Alert[]; samples: number; missed: number }> {
  const watch = new Watch({ fullAt: fullAt / 100, leakSamples, leakGrowth })
  const stop = new AbortController()
  const ended = () => stop.abort()
  process.once('SIGINT', ended).once('SIGTERM', ended)
  const alerts: Alert[] = []
  let taken = 0
  let missed = 0
  while (!stop.signal.aborted && taken < samples) {
    const sample = await takeSample(pool)
    taken++
    if ('error' in sample) missed++
    await lines.write(sample)
    const raised = watch.see(sample)
    for (const alert of raised) {
      process.stderr.write(`${printable(`${paint('red', alert.alert)}: ${alert.message}`)}\n`)
      await lines.write(alert)
    }
    alerts.push(...raised)
    if (taken < samples) await pause(interval * 1_000, undefined, { signal: stop.signal }).catch(() => {})
  }
  process.off('SIGINT', ended).off('SIGTERM', ended)
  return { alerts, samples: taken, missed }
}
