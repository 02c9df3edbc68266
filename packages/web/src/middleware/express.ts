import type { ServerResponse } from 'node:http'
import { type Endpoint, findEndpoint } from '../endpoints/index.ts'
import { type NodeRequest, servePage } from '../page/index.ts'
import { type RouteOptions, requireRoute } from '../requests/index.ts'
import type { AppGuard } from './app-guard.ts'
import { runUntilClosed } from './run-in-time.ts'

/** The parts of Express' request that the middleware uses. */
export interface ExpressRequest extends NodeRequest {
  /** Where Express has mounted the router. */
  readonly baseUrl?: string
  readonly originalUrl?: string
  /** Set once Express has found the route. */
  readonly route?: { readonly path?: unknown }
}

type Next = (error?: unknown) => void
/** Middleware of Express, Connect or Polka. */
export type ExpressMiddleware = (request: ExpressRequest, response: ServerResponse, next: Next) => void
/** Error-handling middleware of Express, which knows it by its four parameters. */
export type ExpressErrorMiddleware = (
  error: unknown,
  request: ExpressRequest,
  response: ServerResponse,
  next: Next,
) => void

export function expressMiddleware(guard: AppGuard, options: RouteOptions = {}): ExpressMiddleware {
  const route = requireRoute(options)
  return (request, response, next) => {
    const path = pathOf(request)
    if (guard.page?.path === path) return void servePage(guard.page, request, response).catch(next)
    const endpoint = findEndpoint(guard.endpoints, request.method ?? '', path)
    if (endpoint) return void answer(endpoint, request, response).catch(next)
    guard.drain.track(response)
    const rejected = guard.requests.reject(route)
    if (rejected) return next(rejected)
    const described = {
      label: () => routeOf(request),
      runInTime: runUntilClosed(response),
    }
    guard.requests.run(described, route, next)
  }
}

export function expressErrors(guard: AppGuard): ExpressErrorMiddleware {
  return (error, _request, _response, next) => next(guard.requests.unavailable(error) ?? error)
}

async function answer(endpoint: Endpoint, request: ExpressRequest, response: ServerResponse): Promise<void> {
  const { status, headers, body } = await endpoint.reply(request.headers)
  response.writeHead(status, headers).end(request.method === 'HEAD' ? undefined : body)
}

/** The whole path, wherever the middleware is mounted. */
function pathOf({ originalUrl, url = '' }: ExpressRequest): string {
  return (originalUrl ?? url).replace(/\?.*/s, '')
}

/** The pattern of the route, never the path; undefined before Express has found the route. */
function routeOf({ method, baseUrl = '', route }: ExpressRequest): string | undefined {
  return typeof route?.path === 'string' ? `${method} ${baseUrl}${route.path}` : undefined
}
