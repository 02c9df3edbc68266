import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { renderMetrics } from '@poolguard/core'
import { GuardedPool } from '@poolguard/pg'
import { startPostgres } from '../harness/index.ts'
import { type Benchmark, type Figure, spread, summarise } from './benchmark.ts'
import { FakeClient } from './fake-client.ts'
import type { Observed, RoundCost } from './observed-load.ts'

const POOLS = 1_000
const SCRAPES = 45
const CHECKOUTS_PER_POOL = 30
const BUSY_CHECKOUTS_PER_POOL = 3
/** A tenth of a second each. */
const QUERIES_PER_ROUND = 2_000
const WARM_UP_ROUNDS = 20
const ROUNDS = 32
const GENERATIONS = 10

export const benchmark: Benchmark = {
  keys: {
    scrape_1000_pools_millis: 'ms to make the page of 1,000 pools that were used; goal <= 20',
    scrape_1000_pools_millis_busy: 'the same where each was used since the page before',
    scrape_1000_pools_megabytes: 'its size',
    overhead_per_query: 'time per query with labels, OpenTelemetry and a scrape a second / without; goal <= 1.02',
    overhead_per_query_instruments: "the same where OpenTelemetry is told through its API's instruments",
    overhead_cpu_per_query: "overhead_per_query of the process's own CPU time",
    overhead_cpu_per_query_instruments: "overhead_per_query_instruments of the process's own CPU time",
    overhead_per_query_prometheus: 'time per query with labels and a scrape a second / without',
    overhead_cpu_per_query_prometheus: "overhead_per_query_prometheus of the process's own CPU time",
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

const MODES: readonly Observed[] = ['off', 'prometheus', 'producer', 'instruments']

/**
 * Round by round, in turns, each short: what disturbs the machine disturbs all of a round, and most rounds not at all. And with
 * new processes several times over: one is faster than its twin by some percent for all of its life, by how its code came to be
 * compiled and where its memory lies.
 */
async function measureOverhead(tell: (text: string) => void): Promise<Record<string, Figure>> {
  await using server = await startPostgres({ maxConnections: 60 })
  const medians: Record<Observed, RoundCost>[] = []
  for (let generation = 1; generation <= GENERATIONS; generation++) {
    tell(`queries with metrics and without: ${generation} of ${GENERATIONS}`)
    medians.push(mediansOf(await measureGeneration(server.url)))
  }
  const overhead = (mode: Observed, cost: keyof RoundCost) =>
    spread(medians.map((median) => median[mode][cost] / median.off[cost]))
  return {
    overhead_per_query: overhead('producer', 'wallMicros'),
    overhead_cpu_per_query: overhead('producer', 'cpuMicros'),
    overhead_per_query_instruments: overhead('instruments', 'wallMicros'),
    overhead_cpu_per_query_instruments: overhead('instruments', 'cpuMicros'),
    overhead_per_query_prometheus: overhead('prometheus', 'wallMicros'),
    overhead_cpu_per_query_prometheus: overhead('prometheus', 'cpuMicros'),
    cpu_micros_per_query: spread(medians.map(({ off }) => off.cpuMicros)),
  }
}

/** The rounds of one process for each mode, and of those alone. */
async function measureGeneration(url: string): Promise<Record<Observed, RoundCost>[]> {
  const loads = await Promise.all(MODES.map(async (mode) => ({ mode, load: await startLoad(url, mode) })))
  const rounds: Record<Observed, RoundCost>[] = []
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    const costs: Partial<Record<Observed, RoundCost>> = {}
    // Each begins as often as any other.
    const first = round % loads.length
    for (const { mode, load } of [...loads.slice(first), ...loads.slice(0, first)]) costs[mode] = await load.run()
    if (round >= WARM_UP_ROUNDS) rounds.push(costs as Record<Observed, RoundCost>)
  }
  for (const { load } of loads) load.stop()
  return rounds
}

function mediansOf(rounds: readonly Record<Observed, RoundCost>[]): Record<Observed, RoundCost> {
  const median = (mode: Observed, cost: keyof RoundCost) => summarise(rounds.map((round) => round[mode][cost])).median
  const entries = MODES.map((mode) => [
    mode,
    { wallMicros: median(mode, 'wallMicros'), cpuMicros: median(mode, 'cpuMicros') },
  ])
  return Object.fromEntries(entries)
}

interface Load {
  run(): Promise<RoundCost>
  stop(): void
}

async function startLoad(url: string, observed: Observed): Promise<Load> {
  const child = fork(path.join(import.meta.dirname, 'observed-load.ts'), [url, observed])
  await once(child, 'message')
  return {
    run: async () => {
      const answer = once(child, 'message')
      child.send(QUERIES_PER_ROUND)
      return (await answer)[0] as RoundCost
    },
    stop: () => child.kill(),
  }
}
