import type { Durations, PoolStats } from '../pool/index.ts'
import { decisiveWaits, type LaneWaits, waitsByLane } from './lane-health.ts'

/** The values that determine a pool's health. */
export interface HealthMeasures {
  /** Connections in use as a share of max, over the window. */
  readonly activeShare: number
  /** Callers waiting now. */
  readonly waiters: number
  /** Mean wait of the acquires in the window. */
  readonly meanWaitMillis: number
  /** Failed connection attempts as a share of all attempts in the window. */
  readonly connectErrorShare: number
}

/** The cumulative statistics of a pool whose increase over a window determines its health. */
export interface HealthCounters
  extends Pick<PoolStats, 'takenAtMillis' | 'leasedMillis' | 'capacityMillis' | 'opened' | 'connectFailures'> {
  readonly wait: Pick<Durations, 'count' | 'sumMillis'>
  /** Absent in a pool without lanes. */
  readonly lanes?: LaneWaits
}

/** With fewer connection attempts the share of failures is not significant. */
export const MIN_ATTEMPTS = 5
/** Fewer failures are not significant: the pool retries. */
export const MIN_FAILURES = 3
/** The share in use is judged only over at least this part of the window; a shorter time is only a snapshot. */
const MIN_WINDOW_SHARE = 0.5

/** The counters of a new pool. */
export const INITIAL_COUNTERS: HealthCounters = {
  takenAtMillis: -Infinity,
  leasedMillis: 0,
  capacityMillis: 0,
  opened: 0,
  connectFailures: { full: 0, unavailable: 0, permanent: 0 },
  wait: { count: 0, sumMillis: 0 },
}

/** Copies the statistics that later ones are compared with. */
export function healthCounters(stats: PoolStats): HealthCounters {
  const { takenAtMillis, leasedMillis, capacityMillis, opened, connectFailures } = stats
  const { count, sumMillis } = stats.wait
  return {
    ...{ takenAtMillis, leasedMillis, capacityMillis, opened, connectFailures, wait: { count, sumMillis } },
    ...(stats.lanes && { lanes: waitsByLane(stats.lanes) }),
  }
}

/**
 * @param before counters at the start of the window; if absent, everything since the pool was created counts.
 * @param windowMillis length of the window for the share in use.
 */
export function measureHealth(
  stats: PoolStats,
  before: HealthCounters = INITIAL_COUNTERS,
  windowMillis: number,
): HealthMeasures {
  const leased = stats.leasedMillis - before.leasedMillis
  const capacity = stats.capacityMillis - before.capacityMillis
  const isLongEnough = stats.takenAtMillis - before.takenAtMillis >= windowMillis * MIN_WINDOW_SHARE
  const failed = sumFailures(stats) - sumFailures(before)
  const attempts = failed + stats.opened - before.opened
  const waits = stats.lanes ? decisiveWaits(stats, before.lanes) : allWaits(stats, before)
  return {
    activeShare: isLongEnough ? Math.min(1, share(leased, capacity)) : 0,
    waiters: waits.waiting,
    meanWaitMillis: share(waits.sumMillis, waits.count),
    connectErrorShare: failed < MIN_FAILURES || attempts < MIN_ATTEMPTS ? 0 : share(failed, attempts),
  }
}

function allWaits({ waiting, wait }: PoolStats, before: HealthCounters): ReturnType<typeof decisiveWaits> {
  return { waiting, count: wait.count - before.wait.count, sumMillis: wait.sumMillis - before.wait.sumMillis }
}

function sumFailures({ connectFailures }: HealthCounters): number {
  return connectFailures.full + connectFailures.unavailable + connectFailures.permanent
}

function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0
}
