import type { HealthMeasures } from './health-measures.ts'

/** From which value on something is a warning, and from which it is critical; Infinity is never. Shares are up to 1. */
export interface HealthThreshold {
  readonly warning: number
  readonly critical: number
}

/**
 * For each measure. A share in use that is critical counts as a warning while neither the waiters nor the mean wait are at
 * least one: where all connections are in use and nobody waits, the pool is just large enough.
 */
export type HealthThresholds = Readonly<Record<keyof HealthMeasures, HealthThreshold>>

export const DEFAULT_HEALTH_THRESHOLDS: HealthThresholds = {
  activeShare: { warning: 0.7, critical: 0.9 },
  waiters: { warning: 5, critical: 20 },
  meanWaitMillis: { warning: 100, critical: 500 },
  connectErrorShare: { warning: 0.01, critical: 0.05 },
}
