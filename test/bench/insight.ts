import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { runWithLabel } from '@poolguard/core'
import { DEFAULT_POOL_SETTINGS, Pool } from '@poolguard/core/adapter'
import { InsightRecorder } from '@poolguard/core/connection'
import { pageFiles } from '@poolguard/page'
import { GuardedPool } from '@poolguard/pg'
import { startPostgres } from '../harness/index.ts'
import { SEEDED_FAULTS, stage } from '../insight/seeded-faults.ts'
import { makeTables } from '../integration/typeorm-model.ts'
import { type Benchmark, type Figure, spread } from './benchmark.ts'
import { FakeClient } from './fake-client.ts'

/** Short slices, on and off in turns: what disturbs the machine disturbs both. */
const SLICES = 300
const WARM_UP_SLICES = 60
const CHECKOUTS = 4_000
/** Enough that the event loop never waits for the server. */
const CALLERS = 64
/** Queries of each caller in a slice. */
const QUERIES = 16
/** Queries of a single caller in a slice. */
const QUERIES_ALONE = 300
/** Hours of a day at this many requests each, on labels and statements beyond all bounds. */
const HOURS = 24
const REQUESTS_PER_HOUR = 4_000
const LABELS = 300
const TEXTS = 1_500

export const benchmark: Benchmark = {
  keys: {
    overhead_per_query:
      'processor time of this process per query with insight / without, with 64 callers on 10 connections; goal <= 1.02',
    overhead_per_query_labelled: 'the same under a label',
    overhead_per_query_none: 'the same of two pools without insight: how far from 1 the machine alone gets',
    latency_per_query:
      'time per query with insight / without, one query at a time; it depends on when the system wakes up which process',
    checkout_overhead: 'time per connect + release with insight / without, on a fake client; goal <= 1.05',
    checkout_overhead_labelled: 'the same under a label',
    seeded_faults_named: 'of 20 seeded faults, those whose finding has the right route and line; goal >= 19',
    page_kilobytes_gzip: 'files of the live page, compressed as a proxy does; goal <= 120',
    memory_megabytes_24h: 'heap after a simulated day with 300 labels and 1,500 texts that change; goal <= 16',
  },
  async run(tell) {
    const figures: Record<string, Figure> = {}
    // First, so that nothing else of this process is collected meanwhile.
    tell('a simulated day')
    figures.memory_megabytes_24h = await measureMemory()
    tell('checkouts')
    await measureCheckouts(figures)
    await using server = await startPostgres({ maxConnections: 60 })
    await makeTables(server)
    tell('queries')
    // The server is running already, and keeps all processors.
    pin(tell)
    await measureQueries(figures, server.url)
    tell('seeded faults')
    figures.page_kilobytes_gzip = await measurePage()
    figures.seeded_faults_named = await countNamed(server.url, tell)
    return figures
  },
}

async function measurePage(): Promise<number> {
  const files = await pageFiles()
  return files.reduce((bytes, { text }) => bytes + gzipSync(text).byteLength, 0) / 1_000
}

async function measureCheckouts(figures: Record<string, Figure>): Promise<void> {
  const [on, off] = await pairOfPools({ Client: FakeClient as never, pooler: 'none' })
  const measure = (pool: GuardedPool) => nanosPer(CHECKOUTS, async () => (await pool.connect()).release())
  figures.checkout_overhead = await ratio(measure, on, off)
  figures.checkout_overhead_labelled = await ratio((pool) => runWithLabel('GET /', () => measure(pool)), on, off)
  await Promise.all([on.end(), off.end()])
}

async function measureQueries(figures: Record<string, Figure>, url: string): Promise<void> {
  const [on, off] = await pairOfPools({ url })
  const [, otherOff] = await pairOfPools({ url })
  const query = (pool: GuardedPool) => () => pool.query('select $1::int as n', [1])
  const measure = (pool: GuardedPool) => cpuMicrosPer(query(pool))
  figures.overhead_per_query = await ratio(measure, on, off)
  figures.overhead_per_query_labelled = await ratio((pool) => runWithLabel('GET /', () => measure(pool)), on, off)
  figures.overhead_per_query_none = await ratio(measure, otherOff, off)
  figures.latency_per_query = await ratio((pool) => nanosPer(QUERIES_ALONE, query(pool)), on, off)
  await Promise.all([on, off, otherOff].map((pool) => pool.end()))
}

async function pairOfPools(options: object): Promise<readonly [on: GuardedPool, off: GuardedPool]> {
  const pools = [true, false].map((insight) => new GuardedPool({ ...options, max: 10, insight, name: `${insight}` }))
  for (const pool of pools) await pool.ready()
  return pools as [GuardedPool, GuardedPool]
}

async function nanosPer(times: number, run: () => Promise<unknown>): Promise<number> {
  const began = process.hrtime.bigint()
  for (let i = 0; i < times; i++) await run()
  return Number(process.hrtime.bigint() - began) / times
}

/** Processor time, unlike time, does not depend on when the system lets which process run. */
async function cpuMicrosPer(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await Promise.all(Array.from({ length: CALLERS }, () => nanosPer(QUERIES, run)))
  const { user, system } = process.cpuUsage(before)
  return (user + system) / (CALLERS * QUERIES)
}

/** On one processor, so that its caches stay warm. Without `taskset` the figures vary more. */
function pin(tell: (text: string) => void): void {
  const last = availableParallelism() - 1
  const { status } = spawnSync('taskset', ['--all-tasks', '--pid', '--cpu-list', String(last), String(process.pid)])
  if (status !== 0) tell('taskset is not available: the process may change processors')
}

/** The ratio of each slice to the one next to it. */
async function ratio(
  measure: (pool: GuardedPool) => Promise<number>,
  on: GuardedPool,
  off: GuardedPool,
): Promise<Figure> {
  const ratios: number[] = []
  for (let i = 0; i < WARM_UP_SLICES + SLICES; i++) {
    // Each begins as often as the other.
    const first = i % 2 === 0 ? await measure(on) : undefined
    const without = await measure(off)
    const value = (first ?? (await measure(on))) / without
    if (i >= WARM_UP_SLICES) ratios.push(value)
  }
  return spread(ratios)
}

async function countNamed(url: string, tell: (text: string) => void): Promise<number> {
  let named = 0
  for (const fault of SEEDED_FAULTS) {
    const problem = await stage(fault, url)
    if (problem === undefined) named++
    else tell(problem)
  }
  return named
}

/** A connection without a server, whose lease is measured. */
class MeteredConnection {
  readonly runningText = null
  readonly meter: ReturnType<InsightRecorder<MeteredConnection>['newMeter']>

  constructor(insight: InsightRecorder<MeteredConnection>) {
    this.meter = insight.newMeter(this)
  }

  run(text: string): void {
    this.meter.call(text, this.run)
    this.meter.sent()
    this.meter.answered(false)
  }
}

/** A day passes in seconds, by a clock that each request moves on. */
async function measureMemory(): Promise<number> {
  let now = 0
  const clock = { now: () => now, after: () => () => {}, blockedMillis: 0 }
  const insight: InsightRecorder<MeteredConnection> = new InsightRecorder<MeteredConnection>({
    capturesStacks: true,
    stats: () => pool.stats(),
    clock,
  })
  const pool: Pool<MeteredConnection> = new Pool({
    name: 'day',
    settings: DEFAULT_POOL_SETTINGS,
    factory: { open: async () => new MeteredConnection(insight), close: async () => {} },
    classify: () => 'unavailable',
    observer: insight,
    clock,
  })
  const collect = exposeGarbageCollector()
  const before = heapMegabytes(collect)
  for (let request = 0; request < HOURS * REQUESTS_PER_HOUR; request++) {
    now += 3_600_000 / REQUESTS_PER_HOUR
    await runWithLabel(`GET /route/${request % LABELS}`, async () => {
      const lease = await pool.acquire()
      for (let i = 0; i < 4; i++) {
        now += 1
        lease.resource.run(
          `select column_${(request * 7 + i * 31) % TEXTS} from a_table_of_the_app where id = ${request}`,
        )
      }
      lease.release()
    })
  }
  insight.read()
  const after = heapMegabytes(collect)
  await pool.drain()
  return Math.max(0, after - before)
}

function exposeGarbageCollector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

function heapMegabytes(collect: () => void): number {
  for (let i = 0; i < 3; i++) collect()
  return process.memoryUsage().heapUsed / 1e6
}
