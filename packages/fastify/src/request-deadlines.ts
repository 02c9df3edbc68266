import { runWithDeadline } from '@poolguard/core'
import { requireRouteDeadline, responseDeadline } from '@poolguard/core/web'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/**
 * Runs each request under a deadline: when its client disconnects, or the route's `deadline` or `handlerTimeout` has passed, it no longer
 * waits for a connection, its statement is cancelled, and its transaction is rolled back.
 */
export function limitRequests(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', ({ config }) => {
    requireRouteDeadline('config.poolguard.deadline', config?.poolguard?.deadline)
  })
  fastify.addHook('onRequest', (request, reply, done) => {
    const deadline = request.routeOptions.config.poolguard?.deadline
    if (deadline === false) return done()
    const controller = responseDeadline(reply.raw, deadline)
    followHandlerTimeout(request, reply, controller)
    runWithDeadline(controller.signal, done)
  })
}

/** Fastify 5.8 and later aborts `request.signal` when the route's `handlerTimeout` has passed. */
interface TimedRequest {
  readonly routeOptions: { readonly handlerTimeout?: number | undefined }
  readonly signal?: AbortSignal
}

function followHandlerTimeout(request: FastifyRequest, reply: FastifyReply, controller: AbortController): void {
  const timed = request as TimedRequest
  const signal = timed.routeOptions.handlerTimeout ? timed.signal : undefined
  signal?.addEventListener('abort', () => {
    // Fastify also aborts it after the response.
    if (!reply.raw.writableFinished) controller.abort(signal.reason)
  })
}
