import { HealthMonitor, type ProcessHealth } from '@poolguard/core'
import { listPools, omitUndefined, registerOwnCode, requireInteger } from '@poolguard/core/adapter'
import { Drain, type Endpoint, type EndpointOptions, makeEndpoints, readEndpointSettings } from './endpoints/index.ts'

registerOwnCode(new Error(), 'web')

/** All options are optional: without options the probes are served. */
export interface PoolguardWebOptions extends EndpointOptions {
  /** How long {@link PoolguardWeb.drain} waits, so that load balancers see `draining` and stop sending requests. Default: 0. */
  readonly closeDelayMillis?: number
}

/** The endpoints of the guarded pools of this process, for any framework with web-standard requests. */
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
  /** The health of every guarded pool of the process. */
  health(): ProcessHealth
  /**
   * Makes the readiness probe reply 503 `draining` from now on.
   *
   * @returns a promise that resolves after `closeDelayMillis`.
   * @example
   * import { installShutdown } from '@poolguard/core'
   *
   * installShutdown({ before: () => poolguard.drain().then(() => server[Symbol.asyncDispose]()) })
   */
  drain(): Promise<void>
}

/**
 * Probes, metrics and the admin endpoint of the guarded pools of this process: a web-standard handler.
 *
 * @throws {InvalidOptionError} for an invalid option.
 * @example
 * export const poolguard = poolguardWeb({ metrics: true, admin: true, adminToken: process.env.ADMIN_TOKEN })
 */
export function poolguardWeb(options: PoolguardWebOptions = {}): PoolguardWeb {
  const settings = readEndpointSettings(options)
  const { thresholds, windowMillis, recoveryMillis, closeDelayMillis = 0 } = options
  requireInteger('closeDelayMillis', closeDelayMillis, 0)
  const monitor = new HealthMonitor(omitUndefined({ thresholds, windowMillis, recoveryMillis }))
  const drain = new Drain()
  const endpoints = makeEndpoints(settings, { monitor, pools: listPools, drain })
  const respond = (request: Request) => respondWith(endpoints, request)
  return {
    respond,
    handler: async (request) =>
      (await respond(request)) ?? Response.json({ statusCode: 404, error: 'Not Found' }, { status: 404 }),
    health: () => monitor.check(),
    drain: () => drain.begin(closeDelayMillis),
  }
}

async function respondWith(endpoints: readonly Endpoint[], request: Request): Promise<Response | undefined> {
  const { pathname } = new URL(request.url)
  const isHead = request.method === 'HEAD'
  if (!isHead && request.method !== 'GET') return undefined
  const endpoint = endpoints.find(({ path, answersHead }) => path === pathname && (answersHead || !isHead))
  if (!endpoint) return undefined
  const authorization = request.headers.get('authorization') ?? undefined
  const accept = request.headers.get('accept') ?? undefined
  const { status, headers, body } = await endpoint.reply({ authorization, accept })
  return new Response(isHead ? null : body, { status, headers })
}
