export type { CallerMistakes } from './caller-mistakes.ts'
export {
  type Answer,
  type CredentialSource,
  type Credentials,
  type CredentialsFunction,
  type CredentialsRequest,
  credentialSourceOf,
  type ExpiringPassword,
  type PasswordFunction,
  type UseCredentials,
  validateCredentials,
} from './credentials/index.ts'
export { untilAborted } from './driver-kit/abort-watch.ts'
export { CallerAbort } from './driver-kit/caller-abort.ts'
export { type BusyConnection, cancelUntilAtRest, comesToRest } from './driver-kit/cancel-and-close.ts'
export { ConnectionDriver } from './driver-kit/connection-driver.ts'
export { PoolRegistration } from './driver-kit/pool-registration.ts'
export type { ProbedConnection, TextRow } from './driver-kit/probe-session.ts'
export { type StartupParameterMap, StartupParameters } from './driver-kit/startup-parameters.ts'
export type { GuardSpec } from './guard-spec.ts'
export type { GuardedConnections, MakeDriver } from './guarded-connections.ts'
export type {
  AwaitingConnection,
  ConsoleOptions,
  GuardedDriver,
  Login,
  PoolerConsole,
  ServerConnections,
} from './guarded-driver.ts'
export {
  type HostOptions,
  type HostPlan,
  planHosts,
  type ServerAddress,
  type TargetSessionAttrs,
} from './hosts/host-plan.ts'
export { budgetOf } from './options/budget-of.ts'
export { OPTION_NAMES, rejectForeignOptions, rejectMisspeltOptions } from './options/option-names.ts'
export type { PoolguardOptions } from './options/poolguard-options.ts'
export { replicaPoolOptions } from './options/replica-pool-options.ts'
export { readDriversUrl, readUrlOption } from './options/url-option.ts'
export { withService } from './options/with-service.ts'
export type { PipelineHooks, Pipelining } from './pipelining.ts'
export { PoolGuard } from './pool-guard.ts'
export { guardOf, joinPools } from './replicas/join-pools.ts'
export {
  type ReplicaOptions,
  type ReplicaPolicy,
  readReplicaPolicy,
} from './replicas/replica-options.ts'
export { joinReplicas, type Route } from './replicas/routing.ts'
