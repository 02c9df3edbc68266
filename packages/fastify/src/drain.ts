import { InvalidOptionError } from '@poolguard/core'
import { pause } from '@poolguard/core/adapter'
import type { FastifyInstance } from 'fastify'

/** Whether an app is about to close. */
export interface Drain {
  readonly begun: boolean
}

/**
 * Lets the app's callers go when it closes, so that the pools can be closed in time. Node closes the connections that are
 * idle when the server closes; those with a request at that moment stay open behind its answer, for Fastify's keepAliveTimeout
 * of 72 s, unless the answer says that they do not.
 *
 * @param delayMillis how long the app goes on before it refuses connections, so that a load balancer sees that it drains.
 * @throws {InvalidOptionError} where Fastify would not wait so long for a hook.
 */
export function drainWithApp(fastify: FastifyInstance, delayMillis: number): Drain {
  const { pluginTimeout = 0 } = fastify.initialConfig
  if (pluginTimeout > 0 && delayMillis >= pluginTimeout) {
    const wanted = `less than Fastify's pluginTimeout, which is ${pluginTimeout}`
    throw new InvalidOptionError('closeDelayMillis', delayMillis, wanted)
  }
  const drain = { begun: false }
  fastify.addHook('preClose', async () => {
    drain.begun = true
    if (delayMillis > 0) await pause(delayMillis)
  })
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    // HTTP/2 has no such header, and connections that can be told otherwise.
    if (drain.begun && request.raw.httpVersionMajor === 1) reply.header('connection', 'close')
    done()
  })
  return drain
}
