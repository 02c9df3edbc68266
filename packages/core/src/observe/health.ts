import type { PoolStats } from '../pool/index.ts'
import { type HealthCounters, type HealthMeasures, measureHealth } from './health-measures.ts'
import { healthReason } from './health-reason.ts'
import { DEFAULT_HEALTH_THRESHOLDS, type HealthThreshold, type HealthThresholds } from './health-thresholds.ts'
import { type HealthStatus, type HealthVerdict, holdVerdict, worstOf } from './health-verdict.ts'

export interface Health {
  readonly status: HealthStatus
  /** What is not as it should be, a sentence each. */
  readonly reasons: readonly string[]
  /** The verdict by each measure; the worst of them is the status. */
  readonly measures: Readonly<Record<keyof HealthMeasures, HealthVerdict>>
}

const MEASURES = Object.keys(DEFAULT_HEALTH_THRESHOLDS) as (keyof HealthMeasures)[]

export const WINDOW_MILLIS = 30_000
/** What was bad stays so until it is below this share of its threshold, so that it does not flap round that. */
const RECOVERY_SHARE = 0.8

export interface HealthInput {
  readonly stats: PoolStats
  /** The figures when the window began; without them everything so far counts. */
  readonly before?: HealthCounters | undefined
  /** How long the window should be: over less than half of it the share in use is not judged. Default: 30 000. */
  readonly windowMillis?: number
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
  windowMillis = WINDOW_MILLIS,
  previous,
  thresholds = DEFAULT_HEALTH_THRESHOLDS,
  recoveryMillis = 0,
}: HealthInput): Health {
  const values = measureHealth(stats, before, windowMillis)
  const found = judgeAll(values, thresholds, previous)
  const now = stats.takenAtMillis
  const measures = ofEach((name) => holdVerdict(previous?.[name], found[name], { now, recoveryMillis }))
  const reasons = MEASURES.map((name) => {
    const finding = { value: values[name], threshold: thresholds[name], found: found[name] }
    return healthReason(name, { ...finding, told: measures[name].status })
  })
  return {
    status: worstOf(MEASURES.map((name) => measures[name].status)),
    reasons: reasons.filter((reason) => reason !== undefined),
    measures,
  }
}

function judgeAll(
  values: HealthMeasures,
  thresholds: HealthThresholds,
  previous: Health['measures'] | undefined,
): Record<keyof HealthMeasures, HealthStatus> {
  const found = ofEach((name) => judge(values[name], thresholds[name], previous?.[name].status))
  const nobodyWaits = found.waiters === 'healthy' && found.meanWaitMillis === 'healthy'
  return found.activeShare === 'critical' && nobodyWaits ? { ...found, activeShare: 'warning' } : found
}

function judge(
  value: number,
  { warning, critical }: HealthThreshold,
  previous: HealthStatus = 'healthy',
): HealthStatus {
  if (value >= critical * (previous === 'critical' ? RECOVERY_SHARE : 1)) return 'critical'
  return value >= warning * (previous === 'healthy' ? 1 : RECOVERY_SHARE) ? 'warning' : 'healthy'
}

function ofEach<T>(make: (name: keyof HealthMeasures) => T): Record<keyof HealthMeasures, T> {
  return Object.fromEntries(MEASURES.map((name) => [name, make(name)])) as Record<keyof HealthMeasures, T>
}
