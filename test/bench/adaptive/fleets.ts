import type { InstanceOptions } from '../../fleet/instance-messages.ts'
import { type FleetWork, LoadedFleet } from '../../fleet/loaded-fleet.ts'
import { startPostgres } from '../../harness/index.ts'
import { queryOnce } from '../../harness/query-once.ts'
import { type Benchmark, type Figures, spread } from '../benchmark.ts'
import { bestFixed, overBestFixed, type Round } from './judge.ts'
import { SERVER_SETTINGS } from './server-settings.ts'
import { SCHEMA, TRANSFER_AT_RANDOM } from './workloads.ts'

/** What many apps have: a pool of ten in each process. */
const MANY_PROCESSES = 16
const DEFAULT_MAX = 10
/** Processes that share one limit, and the fixed totals to compare with: the same share for each process. */
const PROCESSES = 8
const TOTALS = [8, 16, 32, 64]
/** Of each process: more than it can have connections, so that some always wait. */
const CALLERS = 16
const ROUNDS = 5
const TRANSFERS = { callers: CALLERS, text: TRANSFER_AT_RANDOM, measuredMillis: 8_000 }
/** After a fixed fleet has begun. */
const ONSET_MILLIS = 2_000
/** After an adaptive fleet has begun for the first time, and again: it remembers its limit. */
const SETTLE_MILLIS = 90_000
const RESUME_MILLIS = 20_000

export const fleets: Benchmark = {
  keys: {
    adaptive_over_default_fleet: `transfers per second of ${MANY_PROCESSES} processes with an adaptive limit together / with ${DEFAULT_MAX} connections each; goal >= 1.5`,
    adaptive_over_default_fleet_p99: 'the same of the 99th percentile of their times; goal <= 0.5',
    fleet_adaptive_over_best_fixed: `transfers per second of ${PROCESSES} processes with an adaptive limit / with the best of ${TOTALS.join(', ')} connections in total, which other rounds chose; goal >= 0.93, from ${SETTLE_MILLIS / 1_000} s on`,
    fleet_best_fixed_total: 'the one with the highest throughput over all rounds',
    fleet_adaptive_total: 'the total that the instances have found, after each round',
  },
  run: measureFleets,
}

async function measureFleets(tell: (text: string) => void): Promise<Figures> {
  await using server = await startPostgres({ maxConnections: 500, settings: SERVER_SETTINGS })
  await queryOnce(server.url, SCHEMA)
  return { ...(await compareWithDefault(server.url, tell)), ...(await compareWithFixed(server.url, tell)) }
}

async function compareWithDefault(url: string, tell: (text: string) => void): Promise<Figures> {
  await using plain = await LoadedFleet.start(MANY_PROCESSES, { url, kind: 'guarded', options: { max: DEFAULT_MAX } })
  await using adaptive = await LoadedFleet.start(MANY_PROCESSES, adaptiveFleet(url, 'many'))
  const [rates, p99s]: [number[], number[]] = [[], []]
  for (let round = 1; round <= ROUNDS; round++) {
    tell(`${MANY_PROCESSES} processes: round ${round} of ${ROUNDS}`)
    const ours = await measure(adaptive, round === 1 ? SETTLE_MILLIS : RESUME_MILLIS)
    const theirs = await measure(plain, ONSET_MILLIS)
    tell(`${describeWork(ours)} together, ${describeWork(theirs)} with ${DEFAULT_MAX} each`)
    rates.push(ours.perSecond / theirs.perSecond)
    p99s.push(ours.p99Millis / theirs.p99Millis)
  }
  return { adaptive_over_default_fleet: spread(rates), adaptive_over_default_fleet_p99: spread(p99s) }
}

async function compareWithFixed(url: string, tell: (text: string) => void): Promise<Figures> {
  await using stack = new AsyncDisposableStack()
  const fixed = new Map<number, LoadedFleet>()
  for (const total of TOTALS) {
    const options = { max: total / PROCESSES }
    fixed.set(total, stack.use(await LoadedFleet.start(PROCESSES, { url, kind: 'guarded', options })))
  }
  const adaptive = stack.use(await LoadedFleet.start(PROCESSES, adaptiveFleet(url, 'few')))
  const rounds: Round[] = []
  const totals: number[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    tell(`${PROCESSES} processes: round ${round} of ${ROUNDS}`)
    const ours = await measure(adaptive, round === 1 ? SETTLE_MILLIS : RESUME_MILLIS)
    const rates = new Map<number, number>()
    for (const [total, fleet] of fixed) rates.set(total, (await measure(fleet, ONSET_MILLIS)).perSecond)
    tell(
      `${describeWork(ours)} together; fixed: ${[...rates].map(([each, rate]) => `${Math.round(rate)}/s on ${each}`).join(', ')}`,
    )
    rounds.push({ adaptive: ours.perSecond, found: ours.perSecond, fixed: rates })
    totals.push(ours.adaptiveLimit)
  }
  return {
    fleet_adaptive_over_best_fixed: spread(overBestFixed(rounds, TOTALS)),
    fleet_best_fixed_total: bestFixed(rounds, TOTALS),
    fleet_adaptive_total: spread(totals),
  }
}

function describeWork({ perSecond, p99Millis, adaptiveLimit }: FleetWork): string {
  const limit = Number.isNaN(adaptiveLimit) ? '' : ` on ${adaptiveLimit}`
  return `${Math.round(perSecond)}/s, p99 ${Math.round(p99Millis)} ms${limit}`
}

function adaptiveFleet(url: string, app: string): InstanceOptions {
  return { url, kind: 'guarded', options: { max: DEFAULT_MAX, fleet: { app, adaptive: true } } }
}

/** @throws if a transfer has failed. */
async function measure(fleet: LoadedFleet, onsetMillis: number): Promise<FleetWork> {
  const work = await fleet.measure({ ...TRANSFERS, onsetMillis })
  if (work.failed > 0) throw new Error(`${work.failed} transfers have failed: ${work.errorCodes.join(', ')}`)
  return work
}
