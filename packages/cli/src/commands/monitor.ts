import { type Command, Option } from 'commander'
import type { Pool } from '../database/contact.ts'
import type { ReadSessionsOptions } from '../database/read-sessions.ts'
import { adminEndpoint } from '../endpoint/admin-endpoint.ts'
import { describeAppLine } from '../endpoint/describe-app-line.ts'
import { isHttpAddress, shownAddress } from '../endpoint/http-address.ts'
import { type AppMissed, type AppSample, readPoolStats } from '../endpoint/read-pool-stats.ts'
import { AppWatch } from '../endpoint/watch-app.ts'
import { describeLine, type MonitorLine } from '../monitor/describe-line.ts'
import { type Followed, follow } from '../monitor/follow.ts'
import { type LineWriter, rotatingFile, standardOutput } from '../monitor/line-writer.ts'
import { openSources } from '../monitor/open-sources.ts'
import { APPLICATION, type Missed, type Sample, takeSample } from '../monitor/sample.ts'
import { type Alert, Watch } from '../monitor/watch.ts'
import type { PoolerWatch } from '../monitor/watch-pooler.ts'
import { CannotRunError, type Outcome } from '../outcome.ts'
import { printable } from '../output/printable.ts'
import { t } from '../output/translate.ts'
import { percent, positive, wholeFrom } from '../read-number.ts'
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

const EXAMPLES = `
Examples:
  $ poolguard monitor
  $ poolguard monitor --interval 10 --file /var/log/poolguard.log --max-size 5 --keep 7
  $ poolguard monitor --pooler-url postgresql://stats@pooler:6432/pgbouncer
  $ poolguard monitor http://127.0.0.1:3000/admin/db-pool-stats   # with the app's adminToken in POOLGUARD_TOKEN
  $ poolguard monitor --samples 12 --full-at 80 | jq 'select(.alert)'

On a terminal it prints a line for each sample. Otherwise, and with --json, it prints one JSON line for each sample
({ time, used, usable, applications, processes }), each alert ({ alert, time, message }) and each failed sample ({ time, error, full }).
Alerts also go to standard error. Ctrl-C or SIGTERM stops it; the exit code is 1 if there were alerts, or if every sample failed.`

export function defineMonitor(command: Command, done: (outcome: Outcome) => void): void {
  command
    .argument(
      '[url]',
      'URL of the database, or of the admin endpoint of an app: http://127.0.0.1:3000/admin/db-pool-stats',
    )
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
  if (isHttpAddress(url)) return await monitorApp(url, options)
  const { fullAt, leakSamples, leakGrowth, showQueries: showsQueries } = options
  const { dotenv, poolerUrl } = options
  await using sources = await openSources({ url, dotenv, poolerUrl, applicationName: APPLICATION })
  const { database, pooler } = sources
  await using lines = linesFor<MonitorLine>(options, describeLine)
  const watch = new Watch({ fullAt: fullAt / 100, leakSamples, leakGrowth })
  const followed = await follow<Sample | Missed>({
    take: () => takeSamples(database.pool, pooler, { showsQueries }),
    check: (sample) => watch.check(sample),
    lines,
    ...{ intervalSeconds: options.interval, samples: options.samples },
  })
  return followedOutcome(followed, options)
}

/** The pools of one process of an app, from its admin endpoint. */
async function monitorApp(address: string, options: MonitorOptions): Promise<Outcome> {
  const endpoint = adminEndpoint(address, { dotenv: options.dotenv, folder: process.cwd() })
  const { url } = endpoint
  const first = await readPoolStats(endpoint)
  if ('error' in first)
    throw new CannotRunError(t`Cannot read the pools of the app at ${shownAddress(url)}: ${first.error}.`)
  await using lines = linesFor<AppSample | AppMissed | Alert>(options, describeAppLine)
  const watch = new AppWatch(options.fullAt / 100)
  let next: AppSample | AppMissed | undefined = first
  const followed = await follow<AppSample | AppMissed>({
    take: async () => {
      const sample = next ?? (await readPoolStats(endpoint))
      next = undefined
      return sample
    },
    check: (sample) => watch.check(sample),
    lines,
    ...{ intervalSeconds: options.interval, samples: options.samples },
  })
  return followedOutcome(followed, options)
}

/** JSON lines for a file or a program, readable lines for a terminal. */
function linesFor<T extends object>(
  { file, maxSize, keep, json }: MonitorOptions,
  describe: (line: T) => string | undefined,
): LineWriter<T> {
  if (file !== undefined) return rotatingFile(file, { megabytes: maxSize, keep })
  if (!process.stdout.isTTY || json === true) return standardOutput<T>()
  return standardOutput<T>((line) => {
    const text = describe(line)
    return text === undefined ? undefined : printable(text)
  })
}

function followedOutcome({ samples, missed, alerts }: Followed, { file, json }: MonitorOptions): Outcome {
  const counts = t`${missed} failed, ${alerts.length} alerts.`
  // Without a terminal, standard output carries the JSON lines only.
  const isReadable = process.stdout.isTTY && json !== true
  const text =
    file === undefined
      ? isReadable
        ? t`${samples} samples: ${counts}`
        : ''
      : t`Wrote ${samples} samples to ${file}: ${counts}`
  return {
    // If every sample failed, the state of the server is unknown.
    exitCode: alerts.length > 0 || (samples > 0 && missed === samples) ? 1 : 0,
    text,
    json: file === undefined ? undefined : { file, samples, missed, alerts },
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
