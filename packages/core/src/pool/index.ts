export { Alarm } from './alarm.ts'
export { captureTrace, findApplicationFrames, findCallSite, registerOwnCode } from './application-frames.ts'
export { type Borrower, type BorrowerTraces, captureStack, runDetached, traceAwaiting, traceCall } from './borrower.ts'
export {
  asyncContextIsCheap,
  type CallerContext,
  type CallerNotes,
  currentLabel,
  currentLane,
  currentRun,
  currentScope,
  type Label,
  type LabelledRun,
  runInLane,
  runWithLabel,
  withDeadlockDetection,
} from './caller-context.ts'
export { type AcquireMessage, onPoolEvents, publish, type ReleaseMessage } from './channels.ts'
export type { ConnectFailure } from './connect-failure.ts'
export { ConnectionBudget } from './connection-budget.ts'
export { DeadlineExceededError, effectiveSignal, runWithDeadline } from './deadline.ts'
export {
  addDurations,
  DURATION_BOUNDS_MILLIS,
  DurationHistogram,
  type Durations,
  MAX_LABELS,
  OTHER_LABEL,
  percentileMillis,
} from './durations.ts'
export {
  AcquireTimeoutError,
  AlreadyReleasedError,
  type BudgetState,
  ConnectError,
  describeBorrowers,
  type EndedCheckout,
  HookFailure,
  isOfHook,
  type LaneState,
  PoolClosedError,
  PoolSaturatedError,
  type PoolState,
  QueryAfterReleaseError,
} from './errors.ts'
export type { Joiner } from './joiner.ts'
export {
  type ConnectionShare,
  DEFAULT_LANE,
  divideAmongLanes,
  type LaneQuota,
  type LaneSettings,
  type LanesOptions,
  requireLaneName,
  validateLanes,
} from './lane-settings.ts'
export { type LateQuery, LateQueryReporter, type LateQueryReporterOptions } from './late-query-reporter.ts'
export { Lease, type TrackedLease } from './lease.ts'
export type { LeaseObserver, PoolWaste } from './lease-observer.ts'
export type { LeaseReport, QueryReport } from './lease-report.ts'
export { type AcquireRequest, ObservedLeases, type ObservedLeasesOptions } from './observed-leases.ts'
export type { OverloadPolicy } from './overload-control.ts'
export { type Overload, type OverloadReason, PoolOverloadedError } from './overloaded-error.ts'
export { Pool } from './pool.ts'
export type { BorrowedConnection, PoolCallers, SessionReport, WaitingCaller } from './pool-callers.ts'
export type { CloseReason, PoolEvent, PoolEventListener } from './pool-events.ts'
export type { AcquireOptions, PoolOptions } from './pool-options.ts'
export { DEFAULT_POOL_SETTINGS, type PoolSettings, validatePoolSettings } from './pool-settings.ts'
export { type LaneCounts, type LaneStats, NO_OVERLOADS, type PoolCounts, type PoolStats } from './pool-stats.ts'
export { currentReadScope, runOnPrimary, runWithOwnWrites } from './read-scope.ts'
export type { LeaseActivity, OpenContext, ResourceFactory, RunningQuery } from './resource-factory.ts'
export { POOL_ATTRIBUTE } from './wait-span.ts'
