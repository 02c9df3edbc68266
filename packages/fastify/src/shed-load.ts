import type { LoadedPool, ShedLoadOptions } from '@poolguard/core/web'
import { LoadShedder } from '@poolguard/web/adapter'
import type { FastifyInstance } from 'fastify'

/**
 * Rejects new requests while the pools are overloaded, as @fastify/under-pressure does: the error goes to the app's error handler,
 * with the reply's status and Retry-After already set.
 */
export function shedLoad(fastify: FastifyInstance, pools: () => Iterable<LoadedPool>, options: ShedLoadOptions): void {
  const shedder = new LoadShedder(pools, options)
  fastify.addHook('onRequest', (request, reply, done) => {
    const { shedLoad: isShed, lane } = request.routeOptions.config.poolguard ?? {}
    const error = isShed === false ? undefined : shedder.reject(lane)
    if (error) reply.code(error.statusCode).headers(error.headers)
    done(error)
  })
}
