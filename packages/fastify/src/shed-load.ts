import { PoolguardError } from '@poolguard/core'
import { type LoadedPool, LoadShedding, type ShedLoadOptions } from '@poolguard/core/adapter'
import type { FastifyInstance } from 'fastify'

/** The database is overloaded, or too many callers wait for a connection: the plugin rejected the request before its handler ran. */
export class LoadShedError extends PoolguardError {
  static {
    LoadShedError.prototype.name = 'LoadShedError'
  }

  readonly code = 'POOLGUARD_LOAD_SHED'
  /** The HTTP status of Fastify's reply. */
  readonly statusCode = 503

  constructor() {
    super('Too many requests wait for the database. Try again later.')
  }
}

/**
 * Rejects new requests while the pools are overloaded, as @fastify/under-pressure does: the error goes to the app's error handler,
 * with the reply's status and Retry-After already set.
 */
export function shedLoad(fastify: FastifyInstance, pools: () => Iterable<LoadedPool>, options: ShedLoadOptions): void {
  // One error for all requests: capturing a stack per rejected request would cost time and add nothing.
  const error = new LoadShedError()
  const shedding = new LoadShedding(pools, options)
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.config.poolguard?.shedLoad === false) return done()
    const retryAfterSeconds = shedding.reject()
    if (retryAfterSeconds === undefined) return done()
    reply.code(error.statusCode).header('retry-after', retryAfterSeconds)
    done(error)
  })
}
