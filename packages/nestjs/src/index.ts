/**
 * Guarded pools for NestJS: injection, health, metrics and graceful shutdown.
 *
 * @module @poolguard/nestjs
 */

export type { ShedLoadOptions } from '@poolguard/core/web'
export type { EndpointOptions, MetricsOptions, PageOptions, RequestOptions } from '@poolguard/web'
export { DatabaseDeadline } from './deadline-interceptor.ts'
export { DatabaseLane } from './lane-interceptor.ts'
export { PoolguardMetricsController } from './metrics-controller.ts'
export type {
  PoolguardModuleAsyncExtras,
  PoolguardModuleExtras,
  PoolguardModuleOptions,
  PoolguardOptionsFactory,
} from './module-options.ts'
export { getPoolToken, InjectPool } from './pool-token.ts'
export { Poolguard } from './poolguard.ts'
export { PoolguardModule, type PoolguardModuleAsyncOptions } from './poolguard-module.ts'
export { SkipLoadShedding } from './shed-load-guard.ts'
