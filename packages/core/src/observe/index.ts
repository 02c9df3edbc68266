export {
  DEFAULT_HEALTH_THRESHOLDS,
  evaluateHealth,
  type Health,
  type HealthInput,
  type HealthStatus,
  type HealthThresholds,
  type Threshold,
} from './health.ts'
export { HealthMonitor, type HealthMonitorOptions, type PoolHealth, type ProcessHealth } from './health-monitor.ts'
export { openPools, registerPool, snapshotPools } from './registry.ts'
export type { ObservedPool, PoolSnapshot } from './snapshot.ts'
