import type { PoolStats } from '../pool/index.ts'
import { type HealthCounters, type HealthMeasures, INITIAL_COUNTERS, measureHealth } from './health-measures.ts'
import { healthReason } from './health-reason.ts'
import { DEFAULT_HEALTH_THRESHOLDS, type HealthThreshold, type HealthThresholds } from './health-thresholds.ts'
import { type HealthStatus, type HealthVerdict, nextVerdict, worstOf } from './health-verdict.ts'
import { findLaneProblems } from './lane-health.ts'

export interface Health {
  readonly status: HealthStatus
  /** The problems, one sentence each. */
  readonly reasons: readonly string[]
  /** The verdict on each measure; `status` is the worst of them. */
  readonly measures: Readonly<Record<keyof HealthMeasures, HealthVerdict>>
}

const MEASURES = Object.keys(DEFAULT_HEALTH_THRESHOLDS) as (keyof HealthMeasures)[]

export const WINDOW_MILLIS = 30_000
/** A status improves only below this share of its threshold, so that it does not flap around the threshold. */
const RECOVERY_SHARE = 0.8

export interface HealthInput {
  readonly stats: PoolStats
  /** Counters at the start of the window; if absent, everything since the pool was created counts. */
  readonly before?: HealthCounters | undefined
  /** Length of the window. The share in use is judged only over at least half of it. Default: 30 000. */
  readonly windowMillis?: number
  /** The previous verdicts, which a small improvement does not change. */
  readonly previous?: Health['measures'] | undefined
  readonly thresholds?: HealthThresholds
  /** A verdict improves only after the measure has been better for this long; it worsens immediately. Default: 0. */
  readonly recoveryMillis?: number
}

/**
 * Evaluates the health of a pool from its statistics now and at the start of a window.
 *
 * @example
 * evaluateHealth({ stats: pool.snapshot().stats }).status // 'healthy'
 */
export function evaluateHealth({
  stats,
  before = INITIAL_COUNTERS,
  windowMillis = WINDOW_MILLIS,
  previous,
  thresholds = DEFAULT_HEALTH_THRESHOLDS,
  recoveryMillis = 0,
}: HealthInput): Health {
  const values = measureHealth(stats, before, windowMillis)
  const found = judgeAll(values, thresholds, previous)
  const now = stats.takenAtMillis
  const measures = ofEach((name) => nextVerdict(previous?.[name], found[name], { now, recoveryMillis }))
  const reasons = MEASURES.map((name) => {
    const finding = { value: values[name], threshold: thresholds[name], found: found[name] }
    return healthReason(name, { ...finding, reported: measures[name].status })
  })
  const ofLanes = findLaneProblems(stats, before.lanes, thresholds)
  const statuses = MEASURES.map((name) => measures[name].status)
  return {
    // A lane that its own settings hold back is never critical. The measures judge the others.
    status: worstOf([...statuses, ...ofLanes.filter(({ isHeldBack }) => isHeldBack).map(() => 'warning' as const)]),
    reasons: [...reasons.filter((reason) => reason !== undefined), ...ofLanes.map(({ reason }) => reason)],
    measures,
  }
}

function judgeAll(
  values: HealthMeasures,
  thresholds: HealthThresholds,
  previous: Health['measures'] | undefined,
): Record<keyof HealthMeasures, HealthStatus> {
  const found = ofEach((name) => judge(values[name], thresholds[name], previous?.[name].status))
  const hasNoWaiters = found.waiters === 'healthy' && found.meanWaitMillis === 'healthy'
  return found.activeShare === 'critical' && hasNoWaiters ? { ...found, activeShare: 'warning' } : found
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
