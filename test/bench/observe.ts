import { metrics } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { exportToOpenTelemetry, registerPool, renderMetrics, runWithLabel } from '@poolguard/core'
import { GuardedPool } from '@poolguard/pg'
import { startPostgres } from '../harness/index.ts'
import { type Benchmark, compare, type Figure, summarise } from './benchmark.ts'
import { queriesPerSecond } from './queries.ts'

const POOLS = 1_000
const SCRAPES = 15
const LABELS = 20

export const benchmark: Benchmark = {
  keys: {
    scrape_1000_pools_millis: 'ms to render the page of 1,000 pools; goal <= 20',
    scrape_1000_pools_megabytes: 'its size',
    overhead_per_query: 'time per query with labels, OpenTelemetry and a scrape a second / without; goal <= 1.02',
  },
  async run(tell) {
    const figures: Record<string, Figure> = {}
    tell(`scrapes of ${POOLS} pools`)
    await measureScrapes(figures)
    tell('queries with metrics and without')
    figures.overhead_per_query = await measureOverhead()
    return figures
  },
}

/** Of pools that are never used one snapshot is as large as of any other. */
async function measureScrapes(figures: Record<string, Figure>): Promise<void> {
  const pools = Array.from({ length: POOLS }, (_, i) => new GuardedPool({ host: 'localhost', name: `pool ${i}` }))
  const unregister = pools.map((pool) => registerPool(pool))
  const millis = Array.from({ length: SCRAPES }, () => {
    const began = performance.now()
    renderMetrics()
    return performance.now() - began
  })
  // The first ones are the compiler's.
  figures.scrape_1000_pools_millis = summarise(millis.slice(5))
  figures.scrape_1000_pools_megabytes = renderMetrics().body.length / 1e6
  for (const each of unregister) each()
  await Promise.all(pools.map((pool) => pool.end()))
}

async function measureOverhead(): Promise<Figure> {
  await using server = await startPostgres({ maxConnections: 40 })
  const pool = new GuardedPool({ url: server.url, name: 'measured' })
  const load = () => queriesPerSecond(pool, { concurrency: 32, failEvery: 0 })
  const { ratio } = await compare({
    ours: () => withMetrics(() => runWithLabel(`route ${Math.floor(Math.random() * LABELS)}`, load)),
    theirs: load,
  })
  await pool.end()
  // Of rates; of times it is the other way round.
  return { median: 1 / ratio.median, min: 1 / ratio.max, max: 1 / ratio.min }
}

async function withMetrics(load: () => Promise<number>): Promise<number> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000, exportTimeoutMillis: 500 })
  const provider = new MeterProvider({ readers: [reader] })
  const stop = exportToOpenTelemetry(provider.getMeter('poolguard'))
  const scraping = setInterval(() => renderMetrics(), 1_000)
  try {
    return await load()
  } finally {
    clearInterval(scraping)
    stop()
    await provider.shutdown()
    metrics.disable()
  }
}
