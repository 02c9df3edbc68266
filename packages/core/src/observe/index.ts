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
export { METRICS, type MetricDefinition, POOL_LABEL, type Sample, STATE_LABEL } from './metric-definitions.ts'
export type { MetricFamily } from './metric-family.ts'
export { exportToOpenTelemetry, type OpenTelemetryMeter } from './opentelemetry.ts'
export { type PgBouncerFigures, pgBouncerMetrics } from './pgbouncer-metrics.ts'
export { ACTIVITY_QUERY, type ActivityRow, postgresMetrics } from './postgres-metrics.ts'
export { type MetricsPage, renderMetrics } from './prometheus.ts'
export { type PrometheusRegistry, registerMetrics } from './prometheus-registry.ts'
export { openPools, registerPool, snapshotPools } from './registry.ts'
export { ScrapedMetrics, type ScrapeOptions } from './scraped-metrics.ts'
export type { FleetSnapshot, ObservedPool, PoolSnapshot } from './snapshot.ts'
