import type { Durations, LaneStats, PoolStats } from '../pool/index.ts'

/** The waits of each lane so far. */
export type LaneWaits = Readonly<Record<string, { readonly wait: Waits }>>
type Waits = Pick<Durations, 'count' | 'sumMillis'>

/** From when on the waits of a lane are a problem. */
export type WaitThresholds = Readonly<Record<'waiters' | 'meanWaitMillis', { readonly warning: number }>>

/** A lane whose callers wait long, in a sentence. */
export interface LaneProblem {
  readonly reason: string
  /** The lane's own settings hold it back: a lower max than the pool's limit, or a lower priority than another lane's. */
  readonly isHeldBack: boolean
}

/** Copies the waits of the lanes that later ones are compared with. */
export function waitsByLane(lanes: Readonly<Record<string, LaneStats>>): LaneWaits {
  const copy = ({ wait: { count, sumMillis } }: LaneStats) => ({ wait: { count, sumMillis } })
  return Object.fromEntries(Object.entries(lanes).map(([name, lane]) => [name, copy(lane)]))
}

/**
 * Callers that wait and the waits in the window, without those of lanes that their own settings hold back: a flood of jobs, which may wait,
 * must not take an instance out of rotation that answers its requests.
 */
export function decisiveWaits(
  stats: PoolStats,
  before: LaneWaits | undefined,
): { waiting: number; count: number; sumMillis: number } {
  const sum = { waiting: 0, count: 0, sumMillis: 0 }
  for (const [name, lane] of Object.entries(stats.lanes ?? {})) {
    if (isHeldBack(lane, stats)) continue
    const waits = waitsSince(lane, before?.[name]?.wait)
    sum.waiting += lane.waiting
    sum.count += waits.count
    sum.sumMillis += waits.sumMillis
  }
  return sum
}

/** The lanes whose callers wait for as long, or are as many, as makes a pool unhealthy. */
export function findLaneProblems(
  stats: PoolStats,
  before: LaneWaits | undefined,
  thresholds: WaitThresholds,
): LaneProblem[] {
  return Object.entries(stats.lanes ?? {}).flatMap(([name, lane]) => {
    const { count, sumMillis } = waitsSince(lane, before?.[name]?.wait)
    const meanWaitMillis = count > 0 ? sumMillis / count : 0
    const isHealthy = lane.waiting < thresholds.waiters.warning && meanWaitMillis < thresholds.meanWaitMillis.warning
    if (isHealthy) return []
    const reason = `lane "${name}": ${lane.waiting} callers wait, ${Math.round(meanWaitMillis)} ms on average`
    return [{ reason, isHeldBack: isHeldBack(lane, stats) }]
  })
}

/** At least one lane is not held back: if all have a lower max, those with the highest priority count. */
function isHeldBack({ max, priority }: LaneStats, { limit, lanes }: PoolStats): boolean {
  const all = Object.values(lanes ?? {})
  const highest = Math.max(...all.map((lane) => lane.priority))
  if (priority < highest) return true
  return max < limit && all.some((lane) => lane.priority === highest && lane.max >= limit)
}

function waitsSince({ wait }: LaneStats, before: Waits = { count: 0, sumMillis: 0 }): Waits {
  return { count: wait.count - before.count, sumMillis: wait.sumMillis - before.sumMillis }
}
