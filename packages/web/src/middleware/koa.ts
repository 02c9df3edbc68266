import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { findEndpoint } from '../endpoints/index.ts'
import { type NodeRequest, servePage } from '../page/index.ts'
import { type RouteOptions, requireRoute } from '../requests/index.ts'
import type { AppGuard } from './app-guard.ts'
import { runUntilClosed } from './run-in-time.ts'

/** The parts of Koa's context that the middleware uses. */
export interface KoaContext {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly req: NodeRequest
  readonly res: ServerResponse
  respond?: boolean
  status: number
  body: unknown
  set(headers: { [name: string]: string }): void
  /** Set by @koa/router once it has found the route. */
  readonly _matchedRoute?: unknown
}

/** Middleware of Koa. */
export type KoaMiddleware = (context: KoaContext, next: () => Promise<unknown>) => Promise<void>

export function koaMiddleware(guard: AppGuard, options: RouteOptions = {}): KoaMiddleware {
  const route = requireRoute(options)
  return async (context, next) => {
    if (guard.page?.path === context.path) {
      // Koa leaves the response alone.
      context.respond = false
      return servePage(guard.page, context.req, context.res)
    }
    const endpoint = findEndpoint(guard.endpoints, context.method, context.path)
    if (endpoint) {
      const { status, headers, body } = await endpoint.reply(context.headers)
      context.status = status
      context.set({ ...headers })
      context.body = body
      return
    }
    guard.drain.track(context.res)
    const rejected = guard.requests.reject(route)
    if (rejected) throw rejected
    const described = {
      label: () => routeOf(context),
      runInTime: runUntilClosed(context.res),
    }
    try {
      await guard.requests.run(described, route, next)
    } catch (error) {
      throw guard.requests.unavailable(error) ?? error
    }
  }
}

function routeOf({ method, _matchedRoute }: KoaContext): string | undefined {
  return typeof _matchedRoute === 'string' ? `${method} ${_matchedRoute}` : undefined
}
