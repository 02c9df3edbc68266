import type { Durations, PoolStats } from '../pool/index.ts'

/** What a pool's health goes by. */
export interface HealthMeasures {
  /** Connections in use as a share of max, over the window. */
  readonly activeShare: number
  /** Callers that wait now. */
  readonly waiters: number
  /** Mean wait of the checkouts in the window. */
  readonly meanWaitMillis: number
  /** Failed attempts to connect as a share of all in the window. */
  readonly connectErrorShare: number
}

/** Those figures of a pool that only grow, as far as its health goes by what came to them in a window. */
export interface HealthCounters
  extends Pick<PoolStats, 'takenAtMillis' | 'leasedMillis' | 'capacityMillis' | 'opened' | 'connectFailures'> {
  readonly wait: Pick<Durations, 'count' | 'sumMillis'>
}

/** Of fewer attempts to connect no share is worth the name. */
export const MIN_ATTEMPTS = 5
/** Fewer failed ones were mended by trying again. */
export const MIN_FAILURES = 3
/** Of the window: over less the share in use says no more than a moment does. */
const MIN_WINDOW_SHARE = 0.5

/** When a pool is made. */
const NOTHING_YET: HealthCounters = {
  takenAtMillis: -Infinity,
  leasedMillis: 0,
  capacityMillis: 0,
  opened: 0,
  connectFailures: { full: 0, unavailable: 0, permanent: 0 },
  wait: { count: 0, sumMillis: 0 },
}

/** No more of a pool's figures than is needed to compare later ones with. */
export function healthCounters({
  takenAtMillis,
  leasedMillis,
  capacityMillis,
  opened,
  connectFailures,
  wait: { count, sumMillis },
}: PoolStats): HealthCounters {
  return { takenAtMillis, leasedMillis, capacityMillis, opened, connectFailures, wait: { count, sumMillis } }
}

/**
 * @param before undefined: everything so far counts.
 * @param windowMillis what the share in use is meant over.
 */
export function measureHealth(
  stats: PoolStats,
  before: HealthCounters = NOTHING_YET,
  windowMillis: number,
): HealthMeasures {
  const leased = stats.leasedMillis - before.leasedMillis
  const capacity = stats.capacityMillis - before.capacityMillis
  const isLongEnough = stats.takenAtMillis - before.takenAtMillis >= windowMillis * MIN_WINDOW_SHARE
  const failed = sumFailures(stats) - sumFailures(before)
  const attempts = failed + stats.opened - before.opened
  return {
    activeShare: isLongEnough ? Math.min(1, share(leased, capacity)) : 0,
    waiters: stats.waiting,
    meanWaitMillis: share(stats.wait.sumMillis - before.wait.sumMillis, stats.wait.count - before.wait.count),
    connectErrorShare: failed < MIN_FAILURES || attempts < MIN_ATTEMPTS ? 0 : share(failed, attempts),
  }
}

function sumFailures({ connectFailures }: HealthCounters): number {
  return connectFailures.full + connectFailures.unavailable + connectFailures.permanent
}

function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0
}
