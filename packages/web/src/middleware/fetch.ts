import { findEndpoint } from '../endpoints/index.ts'
import { bodyOf, type RouteOptions, requireRoute, type ServiceUnavailableError } from '../requests/index.ts'
import type { AppGuard } from './app-guard.ts'
import { runUntilAborted } from './run-in-time.ts'

/** The response to a request for one of the endpoints or the live page; undefined for any other request. */
export async function respond({ endpoints, page }: AppGuard, request: Request): Promise<Response | undefined> {
  const { pathname } = new URL(request.url)
  if (page?.path === pathname) return page.respond(request)
  const endpoint = findEndpoint(endpoints, request.method, pathname)
  if (!endpoint) return undefined
  const authorization = request.headers.get('authorization') ?? undefined
  const accept = request.headers.get('accept') ?? undefined
  const { status, headers, body } = await endpoint.reply({ authorization, accept })
  return new Response(request.method === 'HEAD' ? null : body, { status, headers })
}

/** The app's own part of {@link serve}. */
interface Handling {
  readonly handle: () => Response | Promise<Response>
  readonly onError: (error: unknown) => void
}

/** Runs the handler of a request, and replies 503 if the request is rejected, or if it failed because no connection was available. */
export async function serve(
  { requests, drain }: AppGuard,
  request: Request,
  options: RouteOptions,
  { handle, onError }: Handling,
): Promise<Response> {
  const route = requireRoute(options)
  const rejected = requests.reject(route)
  if (rejected) return unavailableResponse(rejected)
  const described = { label: () => undefined, runInTime: runUntilAborted(request.signal) }
  try {
    return await drain.run(async () => requests.run(described, route, handle))
  } catch (error) {
    const unavailable = requests.unavailable(error)
    if (!unavailable) throw error
    onError(error)
    return unavailableResponse(unavailable)
  }
}

export function unavailableResponse(error: ServiceUnavailableError): Response {
  return Response.json(bodyOf(error), { status: error.status, headers: error.headers })
}
