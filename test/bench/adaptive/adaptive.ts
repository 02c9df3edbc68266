import { availableParallelism } from 'node:os'
import { startPostgres } from '../../harness/index.ts'
import { queryOnce } from '../../harness/query-once.ts'
import { type Benchmark, type Figure, type Figures, spread, summarise } from '../benchmark.ts'
import { percentile } from '../open-loop.ts'
import { bestFixed, overBestFixed, overFixed, probingCost, type Round, settledAfterSeconds } from './judge.ts'
import { LimitArena, type Slice, type TracePoint } from './limit-arena.ts'
import { SERVER_SETTINGS } from './server-settings.ts'
import { SCHEMA, WORKLOADS, type Workload } from './workloads.ts'

/** The fixed limits to compare with. */
const LIMITS = [1, 2, 4, 8, 16, 32, 64]
/** What is measured, and for how long. */
export interface AdaptivePlan {
  readonly workloads: Readonly<Record<string, Workload>>
  /** Of each workload. */
  readonly rounds: number
  /** After a change of the workload, before the rounds. */
  readonly settleMillis: number
}

const PLAN: AdaptivePlan = { workloads: WORKLOADS, rounds: 8, settleMillis: 20_000 }
const ADAPTIVE_MILLIS = 600
const FIXED_MILLIS = 300
/** Slices of each round with the limit that was found, but without comparing it with others. */
const FOUND_SLICES = 2

/** What one workload has shown. */
interface Result {
  readonly rounds: readonly Round[]
  readonly settledSeconds: number
  readonly found: readonly number[]
  /** All slices with each limit. */
  readonly slices: ReadonlyMap<number, readonly Slice[]>
  readonly adaptive: readonly Slice[]
}

export const adaptive: Benchmark = {
  keys: {
    adaptive_over_best_fixed: `throughput with limit: 'adaptive' / with the best of ${LIMITS.join(', ')}, which other rounds chose; goal >= 0.9, with reports >= 0.85`,
    adaptive_over_cores_rule: "with limit: 'adaptive' / with 2 x cores + 1; goal > 1 on at least three",
    settle_seconds:
      'from a change of the workload until the limit reaches 0.9 of the best fixed one for 5 s; goal <= 30',
    probing_cost: 'part of the throughput that is lost to comparing limits; goal <= 0.05',
    adaptive_limit: 'the limit that was found, in each round',
    best_fixed_limit: 'the one with the highest throughput over all rounds',
    throughput: 'statements or transactions per second with each limit; each kind of them counts by what it costs',
    held_p50_millis: 'for how long a statement or transaction had its connection: median',
    held_p99_millis: '99 % of them had it for less than this',
  },
  run: (tell) => measureAdaptive(PLAN, tell),
}

/** All workloads, one after the other, on one pool: each change is one that the adaptive limit has to notice. */
export async function measureAdaptive(plan: AdaptivePlan, tell: (text: string) => void): Promise<Figures> {
  const { workloads, rounds } = plan
  // Node.js runs on the same cores.
  const cores = availableParallelism()
  const max = Math.max(...LIMITS)
  const rule = Math.min(max, 2 * cores + 1)
  await using server = await startPostgres({ maxConnections: max + 20, settings: SERVER_SETTINGS })
  await queryOnce(server.url, SCHEMA)
  await using arena = new LimitArena(server.url, { max, cores })
  await arena.open(Object.values(workloads))
  const results: Record<string, Result> = {}
  for (const [name, workload] of Object.entries(workloads)) {
    tell(`${name}: settling`)
    arena.change(workload)
    results[name] = await measureWorkload(arena, plan, rule, (round) => tell(`${name}: round ${round} of ${rounds}`))
  }
  return figuresOf(results, rule)
}

async function measureWorkload(
  arena: LimitArena,
  plan: AdaptivePlan,
  rule: number,
  onRound: (round: number) => void,
): Promise<Result> {
  const since = arena.adaptiveMillis
  const trace: TracePoint[] = []
  const slices = new Map<number, Slice[]>([...LIMITS, rule].map((limit) => [limit, []]))
  const followed: Slice[] = []
  const rounds: Round[] = []
  const found: number[] = []
  await arena.measureAdaptive(plan.settleMillis, trace)
  for (let i = 1; i <= plan.rounds; i++) {
    onRound(i)
    const own: Slice[] = []
    const atFound: Slice[] = []
    const fixed = new Map<number, number>()
    for (const limit of shuffled([...slices.keys(), ...Array.from({ length: FOUND_SLICES }, () => undefined)])) {
      own.push(await arena.measureAdaptive(ADAPTIVE_MILLIS, trace))
      const slice = await arena.measureFixed(limit ?? arena.found, FIXED_MILLIS)
      if (limit === undefined) atFound.push(slice)
      else {
        slices.get(limit)?.push(slice)
        fixed.set(limit, slice.rate)
      }
    }
    followed.push(...own)
    found.push(arena.found)
    rounds.push({ adaptive: meanRate(own), found: meanRate(atFound), fixed })
  }
  const rates = new Map([...slices].map(([limit, each]) => [limit, meanRate(each)]))
  return { rounds, settledSeconds: settledAfterSeconds(trace, since, rates), found, slices, adaptive: followed }
}

function figuresOf(results: Readonly<Record<string, Result>>, rule: number): Figures {
  const each = <T extends Figure | Figures>(figure: (result: Result) => T): Record<string, T> =>
    Object.fromEntries(Object.entries(results).map(([name, result]) => [name, figure(result)]))
  return {
    adaptive_over_best_fixed: each(({ rounds }) => spread(overBestFixed(rounds, LIMITS))),
    adaptive_over_cores_rule: each(({ rounds }) => spread(overFixed(rounds, rule))),
    settle_seconds: each(({ settledSeconds }) => settledSeconds),
    probing_cost: each(({ rounds }) => spread(probingCost(rounds))),
    adaptive_limit: each(({ found }) => summarise(found)),
    best_fixed_limit: each(({ rounds }) => bestFixed(rounds, LIMITS)),
    throughput: each((result) => byLimit(result, (slices) => summarise(slices.map(({ rate }) => rate)))),
    held_p50_millis: each((result) => byLimit(result, (slices) => percentile(heldMillis(slices), 0.5))),
    held_p99_millis: each((result) => byLimit(result, (slices) => percentile(heldMillis(slices), 0.99))),
  }
}

/** One figure for each fixed limit, and for the adaptive one. */
function byLimit(
  { slices, adaptive }: Result,
  figure: (slices: readonly Slice[]) => Figure,
): Readonly<Record<string, Figure>> {
  const fixed = [...slices].map(([limit, each]) => [String(limit), figure(each)] as const)
  return Object.fromEntries([...fixed, ['adaptive', figure(adaptive)]])
}

function meanRate(slices: readonly Slice[]): number {
  return slices.reduce((sum, { rate }) => sum + rate, 0) / slices.length
}

function heldMillis(slices: readonly Slice[]): number[] {
  return slices.flatMap(({ heldMillis: millis }) => millis)
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, key: Math.random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ value }) => value)
}
