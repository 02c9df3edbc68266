import { InvalidOptionError } from '@poolguard/core'
import { Drain } from '@poolguard/web/adapter'
import type { FastifyInstance } from 'fastify'

/**
 * Disconnects the app's clients when it closes, so that the pools can close in time: otherwise connections with a request in flight stay
 * open after the reply for Fastify's keepAliveTimeout of 72 s.
 *
 * @param delayMillis how long the app keeps serving before it refuses connections, so that load balancers see `draining`.
 * @throws {InvalidOptionError} if the delay is not less than Fastify's timeout for hooks.
 */
export function drainWithApp(fastify: FastifyInstance, delayMillis: number): Drain {
  const { pluginTimeout = 0 } = fastify.initialConfig
  if (pluginTimeout > 0 && delayMillis >= pluginTimeout) {
    const wanted = `less than Fastify's pluginTimeout, which is ${pluginTimeout}`
    throw new InvalidOptionError('closeDelayMillis', delayMillis, wanted)
  }
  const drain = new Drain()
  fastify.addHook('preClose', () => drain.begin(delayMillis))
  fastify.addHook('onRequest', (_request, reply, done) => {
    drain.track(reply.raw)
    done()
  })
  return drain
}
