/**
 * For applications: snapshots, health, metrics, shutdown, and the errors that pools throw.
 *
 * @module @poolguard/core
 */

export type { Budget } from './budget/index.ts'
export {
  ConnectionStringError,
  type ConnectionStringErrorOptions,
  type ConnectionStringPart,
} from './connection-string/index.ts'
export type { FleetShare } from './fleet/index.ts'
export type {
  Credentials,
  CredentialsFunction,
  CredentialsRequest,
  ExpiringPassword,
  PasswordFunction,
  PoolguardOptions,
} from './guard/index.ts'
export { budgetOf } from './guard/index.ts'
export { InvalidOptionError } from './invalid-option-error.ts'
export { closePools, installShutdown, type SharedPool, type ShutdownOptions } from './lifecycle/index.ts'
export {
  type ApplicationReport,
  exportToOpenTelemetry,
  type FleetSnapshot,
  type Health,
  HealthMonitor,
  type HealthMonitorOptions,
  type HealthStatus,
  type HealthThreshold,
  type HealthThresholds,
  type HealthVerdict,
  type InsightFinding,
  type InsightKind,
  type InsightSummary,
  type LabelInsight,
  type LeaseTimes,
  type LockReport,
  type MetricsPage,
  type MetricsSource,
  type MetricsSources,
  type ObservedPool,
  type OpenTelemetryMeter,
  type OpenTelemetryProducer,
  type OperationInsight,
  openTelemetryProducer,
  type PoolerReport,
  type PoolHealth,
  type PoolInsight,
  type PoolSnapshot,
  type ProcessHealth,
  type PrometheusRegistry,
  registerMetrics,
  renderMetrics,
  type ScrapedMetrics,
  type ScrapeOptions,
  type ServerReport,
  type SourceReport,
  type StatementInsight,
  snapshotPools,
  type WalSnapshot,
} from './observe/index.ts'
export {
  type AcquireMessage,
  AcquireTimeoutError,
  AlreadyReleasedError,
  type BorrowedConnection,
  type BudgetState,
  type CloseReason,
  ConnectError,
  type ConnectFailure,
  type ConnectionBudget,
  type ConnectionShare,
  DeadlineExceededError,
  type Durations,
  type EndedCheckout,
  type Label,
  type LaneCounts,
  type LaneQuota,
  type LaneSettings,
  type LaneState,
  type LaneStats,
  type LanesOptions,
  type LeaseReport,
  type Overload,
  type OverloadPolicy,
  type OverloadReason,
  type PoolCallers,
  PoolClosedError,
  type PoolCounts,
  type PoolEvent,
  type PoolEventListener,
  PoolOverloadedError,
  PoolSaturatedError,
  type PoolSettings,
  type PoolState,
  type PoolStats,
  type PoolWaste,
  QueryAfterReleaseError,
  type QueryReport,
  type ReleaseMessage,
  runInLane,
  runWithDeadline,
  runWithLabel,
  type SessionReport,
  type WaitingCaller,
  withDeadlockDetection,
} from './pool/index.ts'
export { PoolguardError } from './poolguard-error.ts'
export { isPoolTimeout, isTooManyConnections, retryAfterMillis } from './postgres-errors/index.ts'
export type {
  FleetOptions,
  Preset,
  ResolvedSettings,
  SettingsOptions,
} from './settings/index.ts'
export {
  PoolTransactionError,
  type PrepareOptions,
  type PreparingState,
  type SessionDependency,
  SessionStateError,
  type SessionStateMode,
  type StatementFinding,
  type StatementFindingCode,
} from './statements/index.ts'
export {
  type DirectTopology,
  describeTopology,
  type PoolerTopology,
  type PoolMode,
  type PreparedStatements,
  type Topology,
  type UnknownTopology,
} from './topology/index.ts'
