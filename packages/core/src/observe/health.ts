import { durationsSince, meanMillis, type PoolStats } from '../pool/index.ts'

export type HealthStatus = 'healthy' | 'warning' | 'critical'

export interface Health {
  readonly status: HealthStatus
  /** What is not as it should be, a sentence each. */
  readonly reasons: readonly string[]
}

/** From which value on something is a warning, and from which it is critical. */
export interface Threshold {
  readonly warning: number
  readonly critical: number
}

export interface HealthThresholds {
  /** Active connections as a share of max. */
  readonly activeShare: Threshold
  readonly waiters: Threshold
  /** Mean wait of the checkouts in the window. */
  readonly meanWaitMillis: Threshold
  /** Failed attempts to connect as a share of all in the window. */
  readonly connectErrorShare: Threshold
}

export const DEFAULT_HEALTH_THRESHOLDS: HealthThresholds = {
  activeShare: { warning: 0.7, critical: 0.9 },
  waiters: { warning: 5, critical: 20 },
  meanWaitMillis: { warning: 100, critical: 500 },
  connectErrorShare: { warning: 0.01, critical: 0.05 },
}

/**
 * Judges a pool by its figures now and at the beginning of a window.
 *
 * @param before the figures when the window began; without them everything so far counts.
 * @example
 * evaluateHealth(pool.snapshot().stats).status // 'healthy'
 */
export function evaluateHealth(
  stats: PoolStats,
  before?: PoolStats,
  thresholds: HealthThresholds = DEFAULT_HEALTH_THRESHOLDS,
): Health {
  const wait = durationsSince(stats.wait, before?.wait)
  const opened = stats.opened - (before?.opened ?? 0)
  const failed = sumFailures(stats) - (before ? sumFailures(before) : 0)
  const share = (part: number, whole: number) => (whole > 0 ? part / whole : 0)
  const percent = (value: number) => `${Math.round(value * 100)} %`
  const findings = [
    judge(share(stats.active, stats.max), thresholds.activeShare, (value) => `${percent(value)} of max are active`),
    judge(stats.waiting, thresholds.waiters, (value) => `${value} callers wait`),
    judge(meanMillis(wait), thresholds.meanWaitMillis, (value) => `callers wait ${Math.round(value)} ms on average`),
    judge(
      share(failed, failed + opened),
      thresholds.connectErrorShare,
      (value) => `${percent(value)} of the attempts to connect fail`,
    ),
  ]
  return {
    status:
      (['critical', 'warning'] as const).find((each) => findings.some(({ status }) => status === each)) ?? 'healthy',
    reasons: findings.flatMap(({ reason }) => (reason === undefined ? [] : [reason])),
  }
}

function judge(
  value: number,
  { warning, critical }: Threshold,
  describe: (value: number) => string,
): { status: HealthStatus; reason?: string } {
  if (value < warning) return { status: 'healthy' }
  return value < critical
    ? { status: 'warning', reason: `${describe(value)} (warning from ${warning})` }
    : { status: 'critical', reason: `${describe(value)} (critical from ${critical})` }
}

function sumFailures({ connectFailures }: PoolStats): number {
  return connectFailures.full + connectFailures.unavailable + connectFailures.refused
}
