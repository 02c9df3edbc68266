/**
 * The load of the benchmark of observing, in a process of its own: `node observed-load.ts URL`. For each message, which says
 * whether to observe it, it runs queries for a second and answers with the time of one query.
 *
 * One process does both, in turns: of two, one is faster than its twin by some percent for all of its life, by how its code
 * came to be compiled and where its memory lies.
 */
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { openTelemetryProducer, renderMetrics, runWithLabel } from '@poolguard/core'
import { GuardedPool } from '@poolguard/pg'

const CONCURRENCY = 32
const LABELS = 20
const ROUND_MILLIS = 1_000

/** Microseconds for each query, by the clock and of this process's CPU. */
export interface RoundCost {
  readonly wallMicros: number
  readonly cpuMicros: number
}

const pool = new GuardedPool({ url: process.argv[2], name: 'measured' })
await pool.ready()
const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
// It is read when a round says so, and else for hours.
const reader = new PeriodicExportingMetricReader({
  exporter,
  metricProducers: [openTelemetryProducer()],
  exportIntervalMillis: 10_000_000,
})
new MeterProvider({ readers: [reader] })

process.on('message', (observed: boolean) => {
  void measure(observed).then((cost) => process.send?.(cost))
})
process.send?.('ready')

/** Each worker runs queries as one request after another would; with labels, the requests belong to this many routes. */
async function measure(observed: boolean): Promise<RoundCost> {
  const [began, used] = [performance.now(), process.cpuUsage()]
  let sent = 0
  const line = async () => {
    while (performance.now() - began < ROUND_MILLIS) await pool.query('select $1::int as n', [sent++])
  }
  const lines = Array.from({ length: CONCURRENCY }, (_, i) =>
    observed ? runWithLabel(`GET /route/${i % LABELS}`, line) : line(),
  )
  if (observed) setTimeout(() => void readOnce(), ROUND_MILLIS / 2)
  await Promise.all(lines)
  const { user, system } = process.cpuUsage(used)
  return { wallMicros: ((performance.now() - began) * 1_000) / sent, cpuMicros: (user + system) / sent }
}

/** What Prometheus and OpenTelemetry do once in a while, here once a second. */
async function readOnce(): Promise<void> {
  renderMetrics()
  await reader.forceFlush()
  // A real exporter has sent the data by then.
  exporter.reset()
}
