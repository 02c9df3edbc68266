import type { HealthMonitor, ObservedPool } from '@poolguard/core'
import { renderPage } from '@poolguard/core/web'
import { adminReply } from './admin-reply.ts'
import { bearerToken, tokenCheck } from './admin-token.ts'
import type { Drain } from './drain.ts'
import type { EndpointPaths, EndpointSettings } from './endpoint-settings.ts'
import { jsonReply, pageReply, type Reply } from './reply.ts'

/** The headers of a request that decide on the reply. */
export interface EndpointHeaders {
  readonly authorization?: string | undefined
  readonly accept?: string | undefined
}

/** The endpoints that answer GET with a document; the live page has a handler of its own. */
type DocumentPaths = Omit<EndpointPaths, 'page'>

/** One endpoint, for any framework: a route for GET. */
export interface Endpoint {
  /** The option that sets its path. */
  readonly option: keyof DocumentPaths
  readonly path: string
  /** Whether it also answers HEAD. */
  readonly answersHead: boolean
  reply(headers: EndpointHeaders): Reply | Promise<Reply>
}

/** The data that the endpoints show. */
export interface EndpointSources {
  readonly monitor: HealthMonitor
  /** The pools that the monitor checks, in the same order. */
  readonly pools: () => readonly ObservedPool[]
  readonly drain: Drain
}

/** Makes the endpoints that the settings ask for. */
export function makeEndpoints(settings: EndpointSettings, sources: EndpointSources): readonly Endpoint[] {
  const isAdmin = tokenCheck(settings.adminTokens)
  const replies: Record<keyof DocumentPaths, Endpoint['reply']> = {
    health: replyAlive,
    ready: ({ authorization }) => {
      const token = bearerToken(authorization)
      return replyReady(sources, settings.details || (token !== undefined && isAdmin(token)))
    },
    metrics: async ({ accept }) => {
      const { contentType, body } = await renderPage(accept, settings.metricsSources)
      return pageReply(contentType, body)
    },
    admin: ({ authorization }) => {
      const token = bearerToken(authorization)
      return token !== undefined && isAdmin(token)
        ? jsonReply(200, adminReply(sources.monitor, sources.pools()))
        : refuse(authorization)
    },
  }
  return (Object.keys(replies) as (keyof DocumentPaths)[]).flatMap((option) => {
    const path = settings.paths[option]
    const answersHead = option === 'health' || option === 'ready'
    return path === undefined ? [] : [{ option, path, answersHead, reply: replies[option] }]
  })
}

/** The endpoint of a request, if it is for one. */
export function findEndpoint(endpoints: readonly Endpoint[], method: string, path: string): Endpoint | undefined {
  const isHead = method === 'HEAD'
  if (!isHead && method !== 'GET') return undefined
  return endpoints.find((endpoint) => endpoint.path === path && (endpoint.answersHead || !isHead))
}

/** Liveness ignores the pools: a restart does not make a database faster. */
function replyAlive(): Reply {
  return jsonReply(200, { status: 'ok' })
}

function replyReady({ monitor, drain }: EndpointSources, mayKnow: boolean): Reply {
  const { status, pools } = monitor.check()
  const body = { status: drain.begun ? 'draining' : status, ...(mayKnow && { pools }) }
  return jsonReply(drain.begun || status === 'critical' ? 503 : 200, body)
}

/** https://www.rfc-editor.org/rfc/rfc6750#section-3 */
function refuse(authorization: string | undefined): Reply {
  const message = authorization === undefined ? 'missing authorization header' : 'invalid authorization header'
  return jsonReply(401, { statusCode: 401, error: 'Unauthorized', message }, { 'www-authenticate': 'Bearer' })
}
