import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { renderMetrics } from '@poolguard/core'
import { GuardedPool } from '@poolguard/pg'
import { startPostgres } from '../harness/index.ts'
import { type Benchmark, type Figure, spread, summarise } from './benchmark.ts'
import { FakeClient } from './fake-client.ts'
import type { RoundCost } from './observed-load.ts'

const POOLS = 1_000
const SCRAPES = 45
const CHECKOUTS_PER_POOL = 30
const BUSY_CHECKOUTS_PER_POOL = 3
/** Of two seconds each. */
const WARM_UP_PAIRS = 2
const PAIRS = 12
const PROCESSES = 4

export const benchmark: Benchmark = {
  keys: {
    scrape_1000_pools_millis: 'ms to make the page of 1,000 pools that were used; goal <= 20',
    scrape_1000_pools_millis_busy: 'the same where each was used since the page before',
    scrape_1000_pools_megabytes: 'its size',
    overhead_per_query: 'time per query with labels, OpenTelemetry and a scrape a second / without; goal <= 1.02',
    overhead_cpu_per_query: "the same of the process's own CPU time",
    cpu_micros_per_query: 'what that is a share of, in microseconds',
  },
  async run(tell) {
    const figures: Record<string, Figure> = {}
    tell(`scrapes of ${POOLS} pools`)
    await measureScrapes(figures)
    Object.assign(figures, await measureOverhead(tell))
    return figures
  },
}

/** Of pools that were used: counts that differ, and times with all their digits, take longer to write than zeros. */
async function measureScrapes(figures: Record<string, Figure>): Promise<void> {
  const options = { host: 'localhost', max: 3, Client: FakeClient as never }
  const pools = Array.from({ length: POOLS }, (_, i) => new GuardedPool({ ...options, name: `pool ${i}` }))
  await useEach(pools, CHECKOUTS_PER_POOL)
  const millis: number[] = []
  const busy: number[] = []
  // In turns, in case the machine has a slow minute.
  for (let i = 0; i < SCRAPES; i++) {
    await useEach(pools, BUSY_CHECKOUTS_PER_POOL)
    busy.push(timeOf(renderMetrics))
    millis.push(timeOf(renderMetrics))
  }
  // The first ones are the compiler's.
  figures.scrape_1000_pools_millis = summarise(millis.slice(5))
  figures.scrape_1000_pools_millis_busy = summarise(busy.slice(5))
  figures.scrape_1000_pools_megabytes = renderMetrics().body.length / 1e6
  await Promise.all(pools.map((pool) => pool.end()))
}

function timeOf(run: () => unknown): number {
  const began = performance.now()
  run()
  return performance.now() - began
}

async function useEach(pools: readonly GuardedPool[], times: number): Promise<void> {
  for (const pool of pools) await Promise.all(Array.from({ length: times }, () => useOnce(pool)))
}

async function useOnce(pool: GuardedPool): Promise<void> {
  const client = await pool.connect()
  await new Promise(setImmediate)
  client.release()
}

/** Processes one after the other, each observed and not, in turns. */
async function measureOverhead(tell: (text: string) => void): Promise<Record<string, Figure>> {
  await using server = await startPostgres({ maxConnections: 60 })
  const pairs: Observation[] = []
  for (let number = 1; number <= PROCESSES; number++) {
    tell(`queries with metrics and without: process ${number} of ${PROCESSES}`)
    pairs.push(...(await measureProcess(server.url)))
  }
  const overhead = (cost: keyof RoundCost) => spread(pairs.map(({ on, off }) => on[cost] / off[cost]))
  return {
    overhead_per_query: overhead('wallMicros'),
    overhead_cpu_per_query: overhead('cpuMicros'),
    cpu_micros_per_query: spread(pairs.map(({ off }) => off.cpuMicros)),
  }
}

interface Observation {
  readonly on: RoundCost
  readonly off: RoundCost
}

async function measureProcess(url: string): Promise<Observation[]> {
  const child = fork(path.join(import.meta.dirname, 'observed-load.ts'), [url])
  await once(child, 'message')
  const run = async (observed: boolean): Promise<RoundCost> => {
    const answer = once(child, 'message')
    child.send(observed)
    return (await answer)[0] as RoundCost
  }
  const pairs: Observation[] = []
  for (let i = 0; i < WARM_UP_PAIRS + PAIRS; i++) {
    // Each begins as often as the other.
    const first = i % 2 === 0 ? await run(true) : undefined
    const off = await run(false)
    const on = first ?? (await run(true))
    if (i >= WARM_UP_PAIRS) pairs.push({ on, off })
  }
  child.kill()
  return pairs
}
