import { type RouteOptions, requireRoute } from '../requests/index.ts'
import type { AppGuard } from './app-guard.ts'
import { respond, unavailableResponse } from './fetch.ts'
import { runUntilAborted } from './run-in-time.ts'

/** The parts of Hono's context that the middleware uses. */
export interface HonoContext {
  readonly req: { readonly raw: Request; readonly method: string; readonly routePath?: string }
  /** Set if the handler has thrown, after `onError` of the app has replied. */
  readonly error: Error | undefined
  res: Response
  header(name: string, value: string): void
}

/** Middleware of Hono. */
export type HonoMiddleware = (context: HonoContext, next: () => Promise<void>) => Promise<Response | undefined>

export function honoMiddleware(guard: AppGuard, options: RouteOptions = {}): HonoMiddleware {
  const route = requireRoute(options)
  return async (context, next) => {
    const { raw } = context.req
    const response = await respond(guard, raw)
    if (response) return response
    const rejected = guard.requests.reject(route)
    if (rejected) return unavailableResponse(rejected)
    const described = {
      label: () => routeOf(context),
      runInTime: runUntilAborted(raw.signal),
    }
    await guard.requests.run(described, route, next)
    // If the app's own onError has chosen a status, it stays.
    const unavailable = context.res.status === 500 ? guard.requests.unavailable(context.error) : undefined
    if (unavailable) context.res = unavailableResponse(unavailable)
    if (guard.drain.begun) context.header('connection', 'close')
    return undefined
  }
}

/** The pattern of the route; undefined if this version of Hono does not tell. */
function routeOf({ req: { method, routePath } }: HonoContext): string | undefined {
  return routePath === undefined ? undefined : `${method} ${routePath}`
}
