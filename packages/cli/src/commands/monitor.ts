import { setTimeout as pause } from 'node:timers/promises'
import { classifyConnectFailure } from '@poolguard/core/postgres'
import { type Command, Option } from 'commander'
import { cannotConnect } from '../connect-errors/cannot-connect.ts'
import { contact } from '../database/contact.ts'
import { environment } from '../environment/own-environment.ts'
import { type LineWriter, rotatingFile, standardOutput } from '../monitor/line-writer.ts'
import { APPLICATION, takeSample } from '../monitor/sample.ts'
import { type Alert, Watch } from '../monitor/watch.ts'
import type { Outcome } from '../outcome.ts'
import { paint } from '../output/paint.ts'
import { printable } from '../output/printable.ts'
import { percent, positive, wholeFrom } from '../read-number.ts'
import { requireTarget } from '../target.ts'
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
  readonly json?: boolean
  readonly dotenv?: string
}

/** A sample fails if it gets no connection within this time: the next one is due soon. */
const SAMPLE_TIMEOUT_MILLIS = 2_000

const EXAMPLES = `
Examples:
  $ poolguard monitor
  $ poolguard monitor --interval 10 --file /var/log/poolguard.log --max-size 5 --keep 7
  $ poolguard monitor --samples 12 --full-at 80 | jq 'select(.alert)'

It prints one JSON line for each sample ({ time, used, usable, applications, processes }), each alert ({ alert, time, message }) and
each failed sample ({ time, error, full }). Alerts also go to standard error. Ctrl-C stops it; the exit code is 1 if there
were alerts, or if every sample failed.`

export function addMonitor(program: Command, done: (outcome: Outcome) => void): void {
  program
    .command('monitor')
    .description(
      'Log how many connections each application holds, and alert when the server fills up or a count keeps growing.',
    )
    .argument('[url]', 'URL of the database')
    .addOption(new Option('--interval <seconds>', 'time between samples').argParser(positive).default(5))
    .option('--samples <number>', 'stop after this many samples (default: run until Ctrl-C)', wholeFrom(1))
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
      new Option('--leak-growth <number>', 'connections gained over those samples').argParser(wholeFrom(1)).default(10),
    )
    .addOption(showQueriesOption())
    .addHelpText('after', EXAMPLES)
    .action(async (url: string | undefined, options: MonitorOptions) => done(await monitor(url, options)))
}

async function monitor(url: string | undefined, options: MonitorOptions): Promise<Outcome> {
  const { file, maxSize, keep, dotenv } = options
  const target = requireTarget({ url, dotenv, folder: process.cwd(), env: environment })
  await using database = contact(target.url, {
    applicationName: APPLICATION,
    max: 1,
    acquireTimeoutMillis: SAMPLE_TIMEOUT_MILLIS,
  })
  await database.reach().catch((error: Error) => {
    // Monitoring a full server is a normal start.
    if (classifyConnectFailure(error) === 'full') return
    throw cannotConnect(target.url, error)
  })
  await using lines = file === undefined ? standardOutput() : rotatingFile(file, { megabytes: maxSize, keep })
  const { alerts, samples, missed } = await follow(database.pool, lines, options)
  return {
    // If every sample failed, the state of the server is unknown.
    exitCode: alerts.length > 0 || (samples > 0 && missed === samples) ? 1 : 0,
    // Standard output carries the JSON lines only.
    text: file === undefined ? '' : `Wrote ${samples} samples to ${file}: ${missed} failed, ${alerts.length} alerts.`,
    json: file === undefined ? undefined : { file, samples, missed, alerts },
  }
}

async function follow(
  pool: Parameters<typeof takeSample>[0],
  lines: LineWriter,
  { interval, samples = Infinity, fullAt, leakSamples, leakGrowth, showQueries: showsQueries }: MonitorOptions,
): Promise<{ alerts: readonly Alert[]; samples: number; missed: number }> {
  const watch = new Watch({ fullAt: fullAt / 100, leakSamples, leakGrowth })
  const stop = new AbortController()
  const ended = () => stop.abort()
  process.once('SIGINT', ended).once('SIGTERM', ended)
  const alerts: Alert[] = []
  let taken = 0
  let missed = 0
  while (!stop.signal.aborted && taken < samples) {
    const sample = await takeSample(pool, { showsQueries })
    taken++
    if ('error' in sample) missed++
    await lines.write(sample)
    const raised = watch.check(sample)
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
