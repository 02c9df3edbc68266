/**
 * The load of the benchmark of observing, in a process of its own: `node observed-load.ts URL MODE`. Whether somebody
 * listens to the channels is settled once in the life of a real process, and the compiler counts on it: with both in one
 * process, in turns, what is measured is mostly how often it has to begin anew.
 *
 * Told a number of queries, it answers with how long one took.
 */
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { exportToOpenTelemetry, openTelemetryProducer, renderMetrics, runWithLabel } from '@poolguard/core'
import { GuardedPool } from '@poolguard/pg'

const CONCURRENCY = 32
const LABELS = 20

/** Microseconds for each query, by the clock and of this process's CPU. */
export interface RoundCost {
  readonly wallMicros: number
  readonly cpuMicros: number
}

/** Nothing; labels and scrapes; those and OpenTelemetry, by a reader's producer or through the API's instruments. */
export type Observed = 'off' | 'prometheus' | 'producer' | 'instruments'

const [url, observed] = process.argv.slice(2)
const pool = new GuardedPool({ url, name: 'measured' })
await pool.ready()
if (observed !== 'off') setInterval(() => renderMetrics(), 1_000)
if (observed === 'producer' || observed === 'instruments') startOpenTelemetry(observed)

process.on('message', (queries: number) => {
  void measure(queries).then((cost) => process.send?.(cost))
})
process.send?.('ready')

/** Each line of queries is what one request after another does, of so many routes. */
async function measure(queries: number): Promise<RoundCost> {
  let sent = 0
  const line = async () => {
    while (sent < queries) await pool.query('select $1::int as n', [sent++])
  }
  const lines = Array.from({ length: CONCURRENCY }, (_, i) => () => {
    return observed === 'off' ? line() : runWithLabel(`GET /route/${i % LABELS}`, line)
  })
  const [began, used] = [performance.now(), process.cpuUsage()]
  await Promise.all(lines.map((run) => run()))
  const { user, system } = process.cpuUsage(used)
  return { wallMicros: ((performance.now() - began) * 1_000) / queries, cpuMicros: (user + system) / queries }
}

function startOpenTelemetry(way: 'producer' | 'instruments'): void {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const metricProducers = way === 'producer' ? [openTelemetryProducer()] : []
  const times = { exportIntervalMillis: 1_000, exportTimeoutMillis: 500 }
  const reader = new PeriodicExportingMetricReader({ exporter, metricProducers, ...times })
  const provider = new MeterProvider({ readers: [reader] })
  if (way === 'instruments') exportToOpenTelemetry(provider.getMeter('poolguard'))
  // What was exported is somewhere else by then, where there is somebody who takes it.
  setInterval(() => exporter.reset(), 1_000)
}
