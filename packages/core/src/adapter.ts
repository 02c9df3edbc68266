/**
 * The parts that poolguard's own adapters use. They are not covered by semantic versioning: any release may change them. If you
 * write an adapter of your own, pin the exact version.
 *
 * @module @poolguard/core/adapter
 */

export { abortAfter, pause, setImmediate, systemClock, withTimeout } from './clock.ts'
export {
  ConnectionString,
  ConnectionStringError,
  describeAddress,
  hiddenTexts,
  isTailOfSecret,
  normalizeTarget,
  parseConnectionString,
  shownDatabase,
  shownUser,
} from './connection-string/index.ts'
export { mayHoldSecret } from './describe-value.ts'
export {
  describeRewriteWarning,
  hideSecrets,
  pgDriverOptions,
  postgresJsDriverOptions,
  type Reading,
  readChannelBinding,
  readConnection,
  readPoolParameters,
  watchCertificates,
  wholeMillis,
} from './drivers/index.ts'
export {
  type Answer,
  type AwaitingConnection,
  type BusyConnection,
  type CallerMistakes,
  type ConsoleOptions,
  type CredentialSource,
  type CredentialsRequest,
  credentialSourceOf,
  type GuardedConnections,
  type GuardedDriver,
  type GuardSpec,
  guardOf,
  type HostPlan,
  joinPools,
  joinReplicas,
  type Login,
  type MakeDriver,
  OPTION_NAMES,
  type PipelineHooks,
  type Pipelining,
  type PoolerConsole,
  PoolGuard,
  PoolRegistration,
  type ProbedConnection,
  planHosts,
  type ReplicaPolicy,
  type Route,
  readDriversUrl,
  readReplicaPolicy,
  readUrlOption,
  rejectForeignOptions,
  rejectMisspeltOptions,
  replicaPoolOptions,
  type ServerAddress,
  type ServerConnections,
  type StartupParameterMap,
  type TextRow,
  type UseCredentials,
  untilAborted,
  validateCredentials,
  withService,
} from './guard/index.ts'
export {
  InvalidOptionError,
  prefixOptionErrors,
  requireDuration,
  requireInteger,
  requireOneOf,
} from './invalid-option-error.ts'
export { KnownSecrets } from './known-secrets.ts'
export { sharePool } from './lifecycle/index.ts'
export { inspect } from './node-util.ts'
export {
  type InsightRecorder,
  listPools,
  type MeteredSession,
  registerObservation,
  ScrapedMetrics,
  type SessionMeter,
} from './observe/index.ts'
export { omitUndefined } from './omit-undefined.ts'
export type { SharedRequest, SharedStatement } from './pipelining/index.ts'
export {
  type AcquireOptions,
  type AcquireRequest,
  AcquireTimeoutError,
  asyncContextIsCheap,
  type BorrowerTraces,
  captureStack,
  currentLabel,
  DEFAULT_POOL_SETTINGS,
  DURATION_BOUNDS_MILLIS,
  DurationHistogram,
  type Durations,
  describeBorrowers,
  effectiveSignal,
  findApplicationFrames,
  HookFailure,
  isOfHook,
  type LateQuery,
  LateQueryReporter,
  Lease,
  type LeaseActivity,
  NO_OVERLOADS,
  ObservedLeases,
  type OpenContext,
  onPoolEvents,
  Pool,
  PoolClosedError,
  percentileMillis,
  type ResourceFactory,
  type RunningQuery,
  registerOwnCode,
  requireLaneName,
  runDetached,
  runInLane,
  runWithDeadline,
  traceAwaiting,
  traceCall,
  validatePoolSettings,
  withDeadlockDetection,
} from './pool/index.ts'
export { PoolguardError } from './poolguard-error.ts'
export {
  classifyConnectFailure,
  isPoolTimeout,
  isTooManyConnections,
} from './postgres-errors/index.ts'
export { ProcessWide } from './process-wide.ts'
export { directUrlFor, guessProvider } from './provider/index.ts'
export { redact } from './redact.ts'
export { assumedTopology, describeSettings, poolSettings, resolveSettings } from './settings/index.ts'
export {
  type AutomaticStatements,
  ListenTracker,
  type PreparedText,
  RecentKeys,
  type SessionStateCheck,
  type StatementFailure,
  showStatement,
  validatePrepareOptions,
} from './statements/index.ts'
export {
  assumeTopology,
  type Identity,
  type ProbeSession,
  topologyTraits,
} from './topology/index.ts'
