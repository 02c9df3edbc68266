import bearerAuth from '@fastify/bearer-auth'
import { type HealthMonitor, InvalidOptionError, type ObservedPool } from '@poolguard/core'
import { renderPage } from '@poolguard/core/adapter'
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import { bearerToken, tokenCheck } from './admin-token.ts'
import type { Drain } from './drain.ts'
import type { PluginSettings } from './plugin-settings.ts'

/** The data that the routes show. */
export interface RouteSources {
  readonly monitor: HealthMonitor
  /** The pools that the monitor checks, in the same order. */
  readonly pools: () => readonly ObservedPool[]
  readonly drain: Drain
}

/** Machines request these routes every few seconds: they are not logged, not documented, and never shed. */
const PROBE = {
  method: 'GET',
  logLevel: 'silent',
  exposeHeadRoute: false,
  // Read by @fastify/swagger.
  schema: { hide: true } as FastifySchema,
  // @fastify/under-pressure calls this handler instead of replying 503; a handler that does nothing lets the request pass.
  config: { pressureHandler: () => {}, poolguard: { shedLoad: false } } as FastifyContextConfig,
} as const

export function addRoutes(fastify: FastifyInstance, settings: PluginSettings, sources: RouteSources): void {
  const { health, ready, metrics, admin } = settings.paths
  for (const [option, url] of Object.entries(settings.paths)) requireFree(fastify, option, url)
  if (health !== undefined) fastify.route({ ...PROBE, exposeHeadRoute: true, url: health, handler: replyAlive })
  if (ready !== undefined) addReadiness(fastify, ready, settings, sources)
  if (metrics !== undefined) addMetrics(fastify, metrics, settings)
  if (admin !== undefined) addAdmin(fastify, admin, settings, sources)
}

/** @throws {InvalidOptionError} if the app already has this route: Fastify's own error would not name the option. */
function requireFree(fastify: FastifyInstance, option: string, url: string | undefined): void {
  if (url === undefined || !fastify.hasRoute({ method: 'GET', url })) return
  throw new InvalidOptionError(option, url, 'another path, or false to keep the route that the app already has there')
}

/** Liveness ignores the pools: a restart does not make a database faster. */
function replyAlive(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return send(reply, { status: 'ok' })
}

function addMetrics(fastify: FastifyInstance, url: string, { metricsSources }: PluginSettings): void {
  fastify.route({
    ...PROBE,
    url,
    handler: async (request, reply) => {
      const { contentType, body } = await renderPage(request.headers.accept, metricsSources)
      return send(reply.type(contentType), body)
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
      return send(reply, { status: drain.begun ? 'draining' : status, ...(mayKnow && { pools }) })
    },
  })
}

/** Registers the route in its own scope, so that no other route requires the token. Rejections are logged without the token. */
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
        return send(reply, { status: health.status, pools: shown })
      },
    })
  })
}

/** The reply is valid for this moment only. `no-store` also makes `Vary: Accept` unnecessary. */
function send(reply: FastifyReply, body: object | string): FastifyReply {
  return reply.header('cache-control', 'no-store').send(body)
}
