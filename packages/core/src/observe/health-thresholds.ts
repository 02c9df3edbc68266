import type { HealthMeasures } from './health-measures.ts'

/** The values from which a measure is a warning or critical. `Infinity` turns a level off. Shares range from 0 to 1. */
export interface HealthThreshold {
  readonly warning: number
  readonly critical: number
}

/**
 * The thresholds of each measure. A critical `activeShare` counts only as a warning while `waiters` and `meanWaitMillis` are
 * healthy: a pool with all connections in use and no waiter is just large enough.
 */
export type HealthThresholds = Readonly<Record<keyof HealthMeasures, HealthThreshold>>

/** The thresholds that apply unless you give others. */
export const DEFAULT_HEALTH_THRESHOLDS: HealthThresholds = {
  activeShare: { warning: 0.7, critical: 0.9 },
  waiters: { warning: 5, critical: 20 },
  meanWaitMillis: { warning: 100, critical: 500 },
  connectErrorShare: { warning: 0.01, critical: 0.05 },
}
