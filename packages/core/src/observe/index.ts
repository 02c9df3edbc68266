export { completeThresholds } from './complete-thresholds.ts'
export { databaseOf } from './database-of.ts'
export { evaluateHealth, type Health, type HealthInput } from './health.ts'
export { type HealthCounters, type HealthMeasures, MIN_ATTEMPTS, MIN_FAILURES } from './health-measures.ts'
export { HealthMonitor, type HealthMonitorOptions, type PoolHealth, type ProcessHealth } from './health-monitor.ts'
export {
  DEFAULT_HEALTH_THRESHOLDS,
  type HealthThreshold,
  type HealthThresholds,
} from './health-thresholds.ts'
export type { HealthStatus, HealthVerdict } from './health-verdict.ts'
export {
  type InsightFinding,
  type InsightKind,
  InsightRecorder,
  type InsightSummary,
  type KnownStatement,
  type LabelInsight,
  type LaneInsight,
  type LeaseTimes,
  LoadingInsight,
  type Metered,
  type MeteredSession,
  type OperationInsight,
  type PoolInsight,
  type SessionMeter,
  type StatementInsight,
} from './insight/index.ts'
export { type LoadedPool, LoadShedding, readShedLoad, type ShedLoadOptions } from './load-shedding.ts'
export {
  type MetricDefinition,
  type MetricDescription,
  type MetricSample,
  POOL_LABEL,
  type ReadableMetric,
  STATE_LABEL,
} from './metric.ts'
export { METRICS } from './metric-definitions.ts'
export type { MetricFamily } from './metric-family.ts'
export { type MetricsSource, type MetricsSources, renderPage, requireSources } from './metrics-page.ts'
export { registerObservation } from './observation.ts'
export { exportToOpenTelemetry, type OpenTelemetryMeter } from './opentelemetry.ts'
export { type OpenTelemetryProducer, openTelemetryProducer } from './opentelemetry-producer.ts'
export { PGBOUNCER_METRICS, type PgBouncerFigures, pgBouncerMetrics } from './pgbouncer-metrics.ts'
export { ACTIVITY_QUERY, postgresMetrics, SERVER_METRICS } from './postgres-metrics.ts'
export { type MetricsPage, renderMetrics } from './prometheus.ts'
export { type PrometheusRegistry, registerMetrics } from './prometheus-registry.ts'
export { listPools, registerPool, snapshotPools, snapshotPoolsOf } from './registry.ts'
export { ScrapedMetrics, type ScrapeOptions, SOURCE_LABEL, SOURCE_UP } from './scraped-metrics.ts'
export { PROCESS_METRICS } from './shed-requests.ts'
export type {
  FleetSnapshot,
  ObservedPool,
  PipeliningState,
  PoolSnapshot,
  ReplicaSnapshot,
  RoutingSnapshot,
  WalSnapshot,
} from './snapshot.ts'
export {
  APPLICATIONS_QUERY,
  type ApplicationReport,
  LOCKS_QUERY,
  type LockReport,
  type PoolerReport,
  type ServerReport,
  type SourceReport,
  serverReport,
  TERMINATE_QUERY,
} from './source-report.ts'
