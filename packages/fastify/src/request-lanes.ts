import { runInLane } from '@poolguard/core'
import { requireLaneName } from '@poolguard/core/adapter'
import type { FastifyInstance } from 'fastify'

/** Runs each request of a route with a lane in that lane. */
export function enterLanes(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', ({ config }) => {
    const lane = config?.poolguard?.lane
    if (lane !== undefined) requireLaneName('config.poolguard.lane', lane)
  })
  fastify.addHook('onRequest', (request, _reply, done) => {
    const lane = request.routeOptions.config.poolguard?.lane
    if (lane === undefined) done()
    else runInLane(lane, done)
  })
}
