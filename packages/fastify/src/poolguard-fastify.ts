import { HealthMonitor, runWithLabel } from '@poolguard/core'
import { listPools, omitUndefined, registerOwnCode } from '@poolguard/core/adapter'
import { makeEndpoints, makePage } from '@poolguard/web/adapter'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { drainWithApp } from './drain.ts'
import { mapPoolErrors } from './map-pool-errors.ts'
import type { PoolguardFastifyOptions } from './plugin-options.ts'
import { loadPg, takePools } from './plugin-pools.ts'
import { readSettings } from './plugin-settings.ts'
import { decorate, makeInstance, requireFree } from './poolguard-instance.ts'
import { limitRequests } from './request-deadlines.ts'
import { enterLanes } from './request-lanes.ts'
import { addPage, addRoutes } from './routes.ts'
import { shedLoad } from './shed-load.ts'

registerOwnCode(new Error(), 'fastify')

async function register(fastify: FastifyInstance, options: PoolguardFastifyOptions): Promise<void> {
  const settings = readSettings(options)
  const { name, thresholds, windowMillis, recoveryMillis } = options
  requireFree(fastify, name)
  const pgModules = await loadPg()
  const given = takePools(options, pgModules)
  const drain = drainWithApp(fastify, settings.closeDelayMillis)
  // Fastify runs onClose hooks in reverse order: plugins that were registered later have closed by then.
  fastify.addHook('onClose', () => given.close())
  const pools = () => given.all ?? listPools()
  const monitor = new HealthMonitor({
    pools,
    ...omitUndefined({ thresholds, windowMillis, recoveryMillis }),
  })
  decorate(fastify, name, makeInstance(given, monitor, pgModules))
  const { requests } = settings
  if (requests.shedLoad) shedLoad(fastify, pools, requests.shedLoad)
  if (requests.deadlines) limitRequests(fastify)
  enterLanes(fastify)
  if (requests.labels) labelRequests(fastify)
  if (requests.mapErrors) mapPoolErrors(fastify, requests.shedLoad?.retryAfterSeconds)
  const sources = { monitor, pools, drain }
  addRoutes(fastify, makeEndpoints(settings.endpoints, sources))
  const page = makePage(settings.endpoints, sources)
  if (page) addPage(fastify, page)
}

/**
 * Fastify plugin for guarded pools: health and readiness probes, metrics, wait times by route, load shedding, and a graceful
 * shutdown. Register it first, so that it closes last.
 *
 * @throws {InvalidOptionError} for an invalid option; `ConnectionStringError` for a bad URL.
 * @example
 * import poolguard from '@poolguard/fastify'
 *
 * app.register(poolguard)
 * app.register(poolguard, { pool: { url: process.env.DATABASE_URL, instances: 6 }, metrics: true })
 */
export const poolguardFastify: FastifyPluginAsync<PoolguardFastifyOptions> = fp(register, {
  name: '@poolguard/fastify',
  fastify: '5.x || 6.x',
})

/**
 * Runs each request under the label of its route, so that pools measure wait times by route. Fastify keeps the context of this
 * hook up to the handler, even across body parsing.
 */
function labelRequests(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { url } = request.routeOptions
    // Paths that match no route get no label: otherwise clients could create any number of labels.
    if (url === undefined) done()
    else runWithLabel(`${request.method} ${url}`, done)
  })
}
