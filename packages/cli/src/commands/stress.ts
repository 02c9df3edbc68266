import { describeTopology } from '@poolguard/core'
import { describeAddress } from '@poolguard/core/postgres'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { cannotConnect } from '../connect-errors/cannot-connect.ts'
import { contact } from '../database/contact.ts'
import { endpointOutcome } from '../endpoint/endpoint-outcome.ts'
import { isHttpAddress, readHttpAddress, shownAddress } from '../endpoint/http-address.ts'
import { loadEndpoint } from '../endpoint/load-endpoint.ts'
import { environment } from '../environment/own-environment.ts'
import { CannotRunError, type Outcome } from '../outcome.ts'
import { interruptible } from '../output/interruptible.ts'
import { createSpinner } from '../output/progress.ts'
import { t } from '../output/translate.ts'
import { translateFromCore } from '../output/translate-from-core.ts'
import { amount, listed, percent, wholeFrom } from '../read-number.ts'
import { runLoad } from '../stress/run-load.ts'
import { stressOutcome } from '../stress/stress-outcome.ts'
import { requireTarget } from '../target.ts'

interface StressOptions {
  readonly concurrency: number
  readonly duration: number
  readonly max: number
  readonly query?: string
  readonly transaction?: readonly string[]
  readonly maxErrors: number
  readonly maxP99?: number
  readonly json?: boolean
  readonly dotenv?: string
}

/** Upper bounds, so that a typing error cannot take down a server. */
const MAX_SECONDS = 600
const MAX_WORKERS = 1_000
const ACQUIRE_MILLIS = 10_000

const EXAMPLES = `
Examples:
  $ poolguard stress --concurrency 100 --duration 20
  $ poolguard stress postgresql://app@pooler:6432/orders --max 20 --query 'select count(*) from orders'
  $ poolguard stress http://127.0.0.1:3000/healthz --concurrency 100 --max-p99 50
  $ poolguard stress --transaction 'select 1' --transaction 'select pg_sleep(0.01)' --max-p99 250 --json

It puts load on the database: it runs your statements unchanged, as fast as possible, and each one fails after 10 s.
Ctrl-C or SIGTERM stops it early and prints the report.`

export function defineStress(command: Command, done: (outcome: Outcome) => void): void {
  command
    .argument('[url]', 'URL of the database, of the pooler in front of it, or of an app: http://127.0.0.1:3000/healthz')
    .addOption(
      new Option('--concurrency <number>', `requests at the same time, at most ${MAX_WORKERS}`)
        .argParser(upTo(MAX_WORKERS))
        .default(50),
    )
    .addOption(
      new Option('--duration <seconds>', `duration of the load, at most ${MAX_SECONDS}`)
        .argParser(upTo(MAX_SECONDS))
        .default(10),
    )
    .addOption(new Option('--max <number>', 'size of the pool').argParser(upTo(MAX_WORKERS)).default(10))
    .option('--query <sql>', "one statement (default: 'select 1')")
    .addOption(
      new Option('--transaction <sql>', 'a statement of the transaction; repeat for each')
        .argParser(listed)
        .conflicts('query'),
    )
    .addOption(
      new Option('--max-errors <percent>', 'fail if more than this share of the requests fails')
        .argParser(percent)
        .default(0),
    )
    .option('--max-p99 <millis>', 'fail if the 99th percentile of the latency is above', amount)
    .addHelpText('after', EXAMPLES)
    .action(async (url: string | undefined, options: StressOptions) => done(await stress(url, options)))
}

async function stress(url: string | undefined, options: StressOptions): Promise<Outcome> {
  if (isHttpAddress(url)) return await stressApp(url, options)
  const { concurrency, duration, max, query = 'select 1', transaction, maxErrors, maxP99, json, dotenv } = options
  const target = requireTarget({ url, dotenv, folder: process.cwd(), env: environment })
  const about = { applicationName: 'poolguard stress', acquireTimeoutMillis: ACQUIRE_MILLIS }
  await using observing = contact(target.url, { ...about, max: 1 })
  await using loaded = contact(target.url, { ...about, max, runsUsersStatements: true })
  const topology = await Promise.all([loaded.reach(), observing.reach()]).then(
    ([found]) => found,
    (error: Error) => {
      throw cannotConnect(target.url, error)
    },
  )
  const title = t`${describeAddress(target.url)}: ${translateFromCore(describeTopology(topology))}; ${concurrency} concurrent requests on at most ${max} connections`
  const progress = createSpinner(title, { isSilent: json }).start()
  await using interruption = interruptible()
  const result = await runLoad({
    pool: loaded.pool,
    observer: observing.pool,
    concurrency,
    durationMillis: duration * 1_000,
    statements: transaction ?? [query],
    transaction: transaction !== undefined,
    signal: interruption.signal,
    onProgress: (elapsedMillis, requests) => {
      progress.text = t`${Math.round(elapsedMillis / 1_000)} of ${duration} s, ${requests} requests`
    },
  })
  progress.stop()
  return stressOutcome(title, result, { maxErrors: maxErrors / 100, maxP99Millis: maxP99 })
}

/** GET requests to an app, without a database. */
async function stressApp(
  address: string,
  { concurrency, duration, query, transaction, maxErrors, maxP99, json }: StressOptions,
): Promise<Outcome> {
  const url = readHttpAddress(address)
  if (query !== undefined || transaction !== undefined)
    throw new CannotRunError(t`--query and --transaction are for databases; an app gets GET requests.`)
  const title = t`GET ${shownAddress(url)}: ${concurrency} concurrent requests`
  const progress = createSpinner(title, { isSilent: json }).start()
  await using interruption = interruptible()
  const load = await loadEndpoint({
    ...{ url, concurrency, durationMillis: duration * 1_000, signal: interruption.signal },
    onProgress: (elapsedMillis, requests) => {
      progress.text = t`${Math.round(elapsedMillis / 1_000)} of ${duration} s, ${requests} requests`
    },
  })
  progress.stop()
  return endpointOutcome(title, load, { maxErrors: maxErrors / 100, maxP99Millis: maxP99 })
}

function upTo(max: number): (text: string) => number {
  const whole = wholeFrom(1)
  return (text) => {
    const value = whole(text)
    if (value > max) throw new InvalidArgumentError(t`It must be at most ${max}.`)
    return value
  }
}
