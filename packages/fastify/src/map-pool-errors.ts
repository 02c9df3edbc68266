import { isPoolTimeout } from '@poolguard/core'
import type { FastifyError, FastifyInstance } from 'fastify'

/**
 * Answers 503 with Retry-After where a handler failed because no connection came free in time, whichever ORM it came
 * through. Only the reply is prepared: the error itself goes on to the log and to the app's error handler as it is, and what
 * that sets stands. One that says its status itself keeps it.
 */
export function mapPoolErrors(fastify: FastifyInstance, retryAfterSeconds: number): void {
  fastify.addHook('onError', (_request, reply, error, done) => {
    if (!saysItsStatus(error) && isPoolTimeout(error)) reply.code(503).header('retry-after', retryAfterSeconds)
    done()
  })
}

function saysItsStatus({ statusCode, status }: FastifyError & { readonly status?: unknown }): boolean {
  return statusCode !== undefined || status !== undefined
}
