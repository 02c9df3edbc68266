import { durationsSince, meanMillis, type PoolStats } from '../pool/index.ts'
import { type HealthStatus, holdVerdict, type Verdict, worstOf } from './verdict.ts'

export interface Health {
  readonly status: HealthStatus
  /** What is not as it should be, a sentence each. */
  readonly reasons: readonly string[]
  /** The verdict by each measure; the worst of them is the status. */
  readonly measures: Readonly<Record<keyof HealthThresholds, Verdict>>
}

/** From which value on something is a warning, and from which it is critical. */
export interface Threshold {
  readonly warning: number
  readonly critical: number
}

export interface HealthThresholds {
  /** Connections in use as a share of max: over the window, or at the moment where there is none. */
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

/** What was bad stays so until it is below this share of its threshold, so that it does not flap round that. */
const RECOVERY_SHARE = 0.8
/** Of fewer attempts to connect no share is worth the name. */
export const LEAST_ATTEMPTS = 5

export interface HealthInput {
  readonly stats: PoolStats
  /** The figures when the window began; without them everything so far counts. */
  readonly before?: PoolStats | undefined
  /** The verdicts before these, which a little improvement does not change. */
  readonly previous?: Health['measures'] | undefined
  readonly thresholds?: HealthThresholds
  /** A verdict gets better only when the measure has been better for so long; it gets worse at once. Default: 0. */
  readonly recoveryMillis?: number
}

/**
 * Judges a pool by its figures now and at the beginning of a window.
 *
 * @example
 * evaluateHealth({ stats: pool.snapshot().stats }).status // 'healthy'
 */
export function evaluateHealth({
  stats,
  before,
  previous,
  thresholds = DEFAULT_HEALTH_THRESHOLDS,
  recoveryMillis = 0,
}: HealthInput): Health {
  const failed = sumFailures(stats) - (before ? sumFailures(before) : 0)
  const opened = stats.opened - (before?.opened ?? 0)
  const attempts = failed + opened
  const values: Record<keyof HealthThresholds, Measured> = {
    activeShare: [activeShare(stats, before), (value) => `${percent(value)} of max are in use`],
    waiters: [stats.waiting, (value) => `${value} callers wait`],
    meanWaitMillis: [
      meanMillis(durationsSince(stats.wait, before?.wait)),
      (value) => `callers wait ${Math.round(value)} ms on average`,
    ],
    connectErrorShare: [
      attempts < LEAST_ATTEMPTS ? 0 : share(failed, attempts),
      (value) => `${percent(value)} of the attempts to connect fail`,
    ],
  }
  const findings = (Object.keys(values) as (keyof HealthThresholds)[]).map((name) => {
    const held = previous?.[name]
    const { status, reason } = judge(values[name], thresholds[name], held?.status)
    const verdict = holdVerdict(held, status, { now: stats.takenAtMillis, recoveryMillis })
    if (verdict.status === status) return { name, verdict, reason }
    const [value, describe] = values[name]
    const until = `${verdict.status} until that has been better for ${recoveryMillis} ms`
    return { name, verdict, reason: `${describe(value)} now (${until})` }
  })
  return {
    status: worstOf(findings.map(({ verdict }) => verdict.status)),
    reasons: findings.flatMap(({ reason }) => (reason === undefined ? [] : [reason])),
    measures: Object.fromEntries(findings.map(({ name, verdict }) => [name, verdict])) as Health['measures'],
  }
}

type Measured = readonly [value: number, describe: (value: number) => string]

/** A pool of one is wholly in use with every query; what counts is for how much of the time. */
function activeShare(stats: PoolStats, before: PoolStats | undefined): number {
  const window = before ? stats.takenAtMillis - before.takenAtMillis : 0
  if (!before || window <= 0) return share(stats.active, stats.max)
  return Math.min(1, share(stats.leasedMillis - before.leasedMillis, window * stats.max))
}

function judge(
  [value, describe]: Measured,
  { warning, critical }: Threshold,
  previous: HealthStatus = 'healthy',
): { status: HealthStatus; reason?: string } {
  const wasCritical = previous === 'critical'
  if (value >= critical * (wasCritical ? RECOVERY_SHARE : 1)) {
    return { status: 'critical', reason: `${describe(value)} (critical from ${critical})` }
  }
  if (value >= warning * (previous === 'healthy' ? 1 : RECOVERY_SHARE)) {
    return { status: 'warning', reason: `${describe(value)} (warning from ${warning})` }
  }
  return { status: 'healthy' }
}

function sumFailures({ connectFailures }: PoolStats): number {
  return connectFailures.full + connectFailures.unavailable + connectFailures.refused
}

function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0
}

function percent(value: number): string {
  return `${Math.round(value * 100)} %`
}
