export {
  DEFAULT_HEALTH_THRESHOLDS,
  evaluateHealth,
  type Health,
  type HealthStatus,
  type HealthThresholds,
  type Threshold,
} from './health.ts'
export { openPools, registerPool, snapshotPools } from './registry.ts'
export type { ObservedPool, PoolSnapshot } from './snapshot.ts'
