import bearerAuth from '@fastify/bearer-auth'
import { type HealthMonitor, InvalidOptionError, type ObservedPool } from '@poolguard/core'
import { renderPage } from '@poolguard/core/adapter'
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import { bearerToken, tokenCheck } from './admin-token.ts'
import type { Drain } from './drain.ts'
import type { PluginSettings } from './plugin-settings.ts'

/** What the routes show. */
export interface RouteSources {
  readonly monitor: HealthMonitor
  /** Those that the monitor looks at, in its order. */
  readonly pools: () => readonly ObservedPool[]
  readonly drain: Drain
}

/** Asked every few seconds, by machines: not logged, not documented, and never turned away. */
const PROBE = {
  method: 'GET',
  logLevel: 'silent',
  exposeHeadRoute: false,
  // @fastify/swagger's.
  schema: { hide: true } as FastifySchema,
  // @fastify/under-pressure asks the route's own handler first, and one that does nothing lets the request pass.
  config: { pressureHandler: () => {}, poolguard: { shedLoad: false } } as FastifyContextConfig,
} as const

export function addRoutes(fastify: FastifyInstance, settings: PluginSettings, sources: RouteSources): void {
  const { health, ready, metrics, admin } = settings.paths
  for (const [option, url] of Object.entries(settings.paths)) requireFree(fastify, option, url)
  if (health !== undefined) fastify.route({ ...PROBE, exposeHeadRoute: true, url: health, handler: answerAlive })
  if (ready !== undefined) addReadiness(fastify, ready, settings, sources)
  if (metrics !== undefined) addMetrics(fastify, metrics, settings)
  if (admin !== undefined) addAdmin(fastify, admin, settings, sources)
}

/** @throws {InvalidOptionError} where the app has that route already: Fastify's own error does not know of the option. */
function requireFree(fastify: FastifyInstance, option: string, url: string | undefined): void {
  if (url === undefined || !fastify.hasRoute({ method: 'GET', url })) return
  throw new InvalidOptionError(
    option,
    url,
    'another path, or false: the app has a route of its own there, which then stays',
  )
}

/** Whether the process is alive, and nothing else: a restart does not make a database faster. */
function answerAlive(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return answer(reply, { status: 'ok' })
}

function addMetrics(fastify: FastifyInstance, url: string, { metricsSources }: PluginSettings): void {
  fastify.route({
    ...PROBE,
    url,
    handler: async (request, reply) => {
      const { contentType, body } = await renderPage(request.headers.accept, metricsSources)
      return answer(reply.type(contentType), body)
    },
  })
}

function addReadiness(
  fastify: FastifyInstance,
  url: string,
  { details, adminTokens }: PluginSettings,
  { monitor, drain }: RouteSources,
): void {
  const isAdmin = tokenCheck(adminTokens)
  fastify.route({
    ...PROBE,
    exposeHeadRoute: true,
    url,
    handler: (request, reply) => {
      const { status, pools } = monitor.check()
      reply.code(drain.begun || status === 'critical' ? 503 : 200)
      const token = bearerToken(request.headers.authorization)
      const mayKnow = details || (token !== undefined && isAdmin(token))
      return answer(reply, { status: drain.begun ? 'draining' : status, ...(mayKnow && { pools }) })
    },
  })
}

/** In a scope of its own, so that nobody else's routes ask for the token. A refusal is logged, without what was refused. */
function addAdmin(
  fastify: FastifyInstance,
  url: string,
  { adminTokens }: PluginSettings,
  { monitor, pools }: RouteSources,
): void {
  fastify.register(async (scope) => {
    await scope.register(bearerAuth, {
      keys: new Set(adminTokens),
      auth: tokenCheck(adminTokens),
      verifyErrorLogLevel: 'warn',
      errorResponse: ({ message }) => ({ statusCode: 401, error: 'Unauthorized', message }),
    })
    scope.route({
      ...PROBE,
      logLevel: 'warn',
      url,
      handler: (_request, reply) => {
        const health = monitor.check()
        const shown = pools().map((pool, i) => ({ ...pool.snapshot(), health: health.pools[i] }))
        return answer(reply, { status: health.status, pools: shown })
      },
    })
  })
}

/** What holds at this moment is nothing for caches; so they need not be told, either, that Accept decides on the format. */
function answer(reply: FastifyReply, body: object | string): FastifyReply {
  return reply.header('cache-control', 'no-store').send(body)
}
