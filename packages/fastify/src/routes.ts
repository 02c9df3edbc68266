import { InvalidOptionError } from '@poolguard/core'
import { type Endpoint, type Page, toWebRequest } from '@poolguard/web/adapter'
import type { FastifyContextConfig, FastifyInstance, FastifySchema } from 'fastify'

/** Machines request these routes every few seconds: they are not logged, not documented, and never shed. */
const PROBE = {
  // Read by @fastify/swagger.
  schema: { hide: true } as FastifySchema,
  // @fastify/under-pressure calls this handler instead of replying 503; a handler that does nothing lets the request pass.
  config: { pressureHandler: () => {}, poolguard: { shedLoad: false } } as FastifyContextConfig,
} as const

/** @throws {InvalidOptionError} if the app already has one of the routes: Fastify's own error would not name the option. */
export function addRoutes(fastify: FastifyInstance, endpoints: readonly Endpoint[]): void {
  for (const { option, path } of endpoints) requireFree(fastify, option, path)
  for (const endpoint of endpoints) addRoute(fastify, endpoint)
}

function requireFree(fastify: FastifyInstance, option: string, url: string): void {
  if (!fastify.hasRoute({ method: 'GET', url })) return
  throw new InvalidOptionError(option, url, 'another path, or false to keep the route that the app already has there')
}

function addRoute(fastify: FastifyInstance, endpoint: Endpoint): void {
  fastify.route({
    ...PROBE,
    method: 'GET',
    // Only refusals are logged, without the token.
    logLevel: 'warn',
    exposeHeadRoute: endpoint.answersHead,
    url: endpoint.path,
    handler: async (request, reply) => {
      const { status, headers, body } = await endpoint.reply(request.headers)
      if (status === 401) request.log.warn({ path: endpoint.path }, 'unauthorized request for an admin endpoint')
      return reply.code(status).headers(headers).send(body)
    },
  })
}

/** A token as JSON is short. */
const MAX_BODY_BYTES = 4_096

/**
 * Serves the live page, in a scope of its own: the page reads bodies itself.
 *
 * @throws {InvalidOptionError} if the app already has the route.
 */
export function addPage(fastify: FastifyInstance, page: Page): void {
  requireFree(fastify, 'page', page.path)
  fastify.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: MAX_BODY_BYTES }, (_request, body, done) => {
      done(null, body)
    })
    scope.route({
      ...PROBE,
      method: ['GET', 'POST'],
      logLevel: 'warn',
      exposeHeadRoute: false,
      url: page.path,
      handler: async (request, reply) => {
        const { raw, protocol: scheme, body } = request
        const response = await page.respond(toWebRequest(raw, { scheme, body }), request.ip)
        if (response.status === 401) request.log.warn({ path: page.path }, 'unauthorized request for the live page')
        return reply.send(response)
      },
    })
  })
}
