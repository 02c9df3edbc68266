import { HealthMonitor, type ProcessHealth } from '@poolguard/core'
import { listPools, omitUndefined, registerOwnCode, requireInteger } from '@poolguard/core/adapter'
import { Drain, type EndpointOptions, makeEndpoints, readEndpointSettings } from './endpoints/index.ts'
import {
  type AppGuard,
  type ExpressErrorMiddleware,
  type ExpressMiddleware,
  expressErrors,
  expressMiddleware,
  type HonoMiddleware,
  honoMiddleware,
  type KoaMiddleware,
  koaMiddleware,
  respond,
  serve,
} from './middleware/index.ts'
import { makePage } from './page/index.ts'
import { RequestGuard, type RequestOptions, type RouteOptions, readRequestSettings } from './requests/index.ts'

registerOwnCode(new Error(), 'web')

/** All options are optional: without options the probes are served. */
export interface PoolguardWebOptions extends EndpointOptions, RequestOptions {
  /** How long {@link PoolguardWeb.drain} waits, so that load balancers see `draining` and stop sending requests. Default: 0. */
  readonly closeDelayMillis?: number
  /** Called with the pool's error when {@link PoolguardWeb.serve} replies 503 to it. Default: `console.error`. */
  readonly onError?: (error: unknown) => void
}

/** The guarded pools of this process in a web app. */
export interface PoolguardWeb {
  /**
   * Replies to a request for one of the endpoints, and 404 to any other.
   *
   * @example
   * // Next.js, app/readyz/route.ts
   * export const GET = poolguard.handler
   */
  readonly handler: (request: Request) => Promise<Response>
  /** Replies to a request for one of the endpoints; undefined for any other. */
  readonly respond: (request: Request) => Promise<Response | undefined>
  /**
   * Runs the handler of a request: under the label of its route and its deadline, unless the load is too high. If no connection was
   * available in time, the response is 503 with Retry-After.
   *
   * @example
   * // Next.js, app/orders/route.ts
   * export const GET = (request: Request) =>
   *   poolguard.serve(request, { label: 'GET /orders' }, async () => Response.json(await handler()))
   */
  serve(request: Request, route: RouteOptions, handle: () => Response | Promise<Response>): Promise<Response>
  /**
   * Middleware of Express: the endpoints, and for all other requests labels, deadlines and load shedding. Use it first.
   *
   * @throws {InvalidOptionError} for an invalid deadline.
   */
  express(route?: RouteOptions): ExpressMiddleware
  /** Error-handling middleware of Express, which passes on a 503 if no connection was available in time. Use it after the routes. */
  expressErrors(): ExpressErrorMiddleware
  /**
   * Middleware of Koa: the endpoints, and for all other requests labels, deadlines, load shedding and errors. Use it first.
   *
   * @throws {InvalidOptionError} for an invalid deadline.
   */
  koa(route?: RouteOptions): KoaMiddleware
  /**
   * Middleware of Hono: the endpoints, and for all other requests labels, deadlines, load shedding and errors. Use it first.
   *
   * @throws {InvalidOptionError} for an invalid deadline.
   */
  hono(route?: RouteOptions): HonoMiddleware
  /** The health of every guarded pool of the process. */
  health(): ProcessHealth
  /**
   * Makes the readiness probe reply 503 `draining` from now on, and closes connections of clients after their current request.
   *
   * @returns a promise that resolves after `closeDelayMillis`, when the requests that {@link PoolguardWeb.serve} runs then are done.
   * A handler that `serve` runs must not await it.
   * @example
   * import { installShutdown } from '@poolguard/core'
   *
   * installShutdown({ before: () => poolguard.drain().then(() => server[Symbol.asyncDispose]()) })
   */
  drain(): Promise<void>
}

/**
 * The guarded pools of this process in a web app: probes, metrics and the admin endpoint, load shedding, wait times by route, deadlines
 * and 503 for requests that got no connection in time.
 *
 * @throws {InvalidOptionError} for an invalid option.
 * @example
 * export const poolguard = poolguardWeb({ metrics: true, admin: true, adminToken: process.env.ADMIN_TOKEN })
 */
export function poolguardWeb(options: PoolguardWebOptions = {}): PoolguardWeb {
  const { thresholds, windowMillis, recoveryMillis, closeDelayMillis = 0, onError = console.error } = options
  requireInteger('closeDelayMillis', closeDelayMillis, 0)
  const monitor = new HealthMonitor(omitUndefined({ thresholds, windowMillis, recoveryMillis }))
  const drain = new Drain()
  const settings = readEndpointSettings(options)
  const sources = { monitor, pools: listPools, drain }
  const guard: AppGuard = {
    endpoints: makeEndpoints(settings, sources),
    page: makePage(settings, sources),
    drain,
    requests: new RequestGuard(readRequestSettings(options)),
  }
  const notFound = { statusCode: 404, error: 'Not Found' }
  return {
    handler: async (request) => (await respond(guard, request)) ?? Response.json(notFound, { status: 404 }),
    respond: (request) => respond(guard, request),
    serve: (request, route, handle) => serve(guard, request, route, { handle, onError }),
    express: (route) => expressMiddleware(guard, route),
    expressErrors: () => expressErrors(guard),
    koa: (route) => koaMiddleware(guard, route),
    hono: (route) => honoMiddleware(guard, route),
    health: () => monitor.check(),
    drain: () => drain.begin(closeDelayMillis),
  }
}
