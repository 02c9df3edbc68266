import { runWithLabel } from '@poolguard/core'
import type { FastifyInstance } from 'fastify'

/**
 * Runs each request under the label of its route, so that pools tell apart who waits. Fastify keeps the context of this
 * hook up to the handler, over the parsing of a body, too.
 */
export function labelRequests(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { url } = request.routeOptions
    // A path that no route matches has no label: whoever makes up paths would make up labels.
    if (url === undefined) done()
    else runWithLabel(`${request.method} ${url}`, done)
  })
}
