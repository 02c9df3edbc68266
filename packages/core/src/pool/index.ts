export { type Clock, systemClock } from './clock.ts'
export { type ConnectFailure, classifyConnectFailure } from './connect-failure.ts'
export {
  AcquireTimeoutError,
  ConnectError,
  PoolClosedError,
  PoolSaturatedError,
  type PoolState,
} from './errors.ts'
export { Lease } from './lease.ts'
export { type AcquireOptions, Pool, type PoolOptions } from './pool.ts'
export type { CloseReason, PoolEvent, PoolEventListener } from './pool-events.ts'
export type { PoolStats } from './pool-stats.ts'
export type { OpenContext, ResourceFactory } from './resource-factory.ts'
