import { InvalidOptionError } from '@poolguard/core'
import { Drain } from '@poolguard/web/adapter'
import type { FastifyInstance } from 'fastify'

/**
 * Disconnects the app's clients when it closes, so that the pools can close in time. When the server closes, Node closes idle
 * connections; a connection with a request in flight stays open after the reply for Fastify's keepAliveTimeout of 72 s, unless the
 * reply carries `connection: close`.
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
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    // HTTP/2 has no such header: it ends sessions with GOAWAY.
    if (drain.begun && request.raw.httpVersionMajor === 1) reply.header('connection', 'close')
    done()
  })
  return drain
}
