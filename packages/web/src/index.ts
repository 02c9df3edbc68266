/**
 * Probes, metrics, load shedding, deadlines and a drain for web apps: web-standard requests, Express, Koa and Hono.
 *
 * @module @poolguard/web
 */

export type { ShedLoadOptions } from '@poolguard/core/web'
export type {
  AdminDurations,
  AdminInsight,
  AdminLaneStats,
  AdminPool,
  AdminPoolStats,
  AdminReply,
  DrainedResponse,
  EndpointOptions,
  MetricsOptions,
  PageOptions,
} from './endpoints/index.ts'
export type {
  ExpressErrorMiddleware,
  ExpressMiddleware,
  ExpressRequest,
  HonoContext,
  HonoMiddleware,
  KoaContext,
  KoaMiddleware,
} from './middleware/index.ts'
export { type PoolguardPageOptions, poolguardPage } from './poolguard-page.ts'
export { type PoolguardWeb, type PoolguardWebOptions, poolguardWeb } from './poolguard-web.ts'
export { LoadShedError, type RequestOptions, type RouteOptions, ServiceUnavailableError } from './requests/index.ts'
