/**
 * Probes, metrics and an admin endpoint as a web-standard handler.
 *
 * @module @poolguard/web
 */

export type { EndpointOptions, MetricsOptions } from './endpoints/index.ts'
export { type PoolguardWeb, type PoolguardWebOptions, poolguardWeb } from './poolguard-web.ts'
