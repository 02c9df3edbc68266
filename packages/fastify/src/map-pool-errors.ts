import { PoolguardError } from '@poolguard/core'
import { hasStatus, MESSAGE_FOR_CLIENTS, toUnavailable } from '@poolguard/web/adapter'
import type { FastifyInstance, FastifyReply } from 'fastify'

/**
 * Replies 503 with Retry-After if a handler failed because no connection was available in time, whichever ORM passed the error on.
 * The log and the app's error handler receive the original error, and the error handler can override the reply. An error with its
 * own status keeps it. If Fastify would send the message of a pool's error, clients get a message without details.
 *
 * @param retryAfterSeconds default: what the pool's error says, else 1.
 */
export function mapPoolErrors(fastify: FastifyInstance, retryAfterSeconds: number | undefined): void {
  const messages = new WeakMap<FastifyReply, string>()
  fastify.addHook('onError', (_request, reply, error, done) => {
    const unavailable = toUnavailable(error, retryAfterSeconds)
    if (unavailable) reply.code(unavailable.statusCode).headers(unavailable.headers)
    // An error with a status was made for clients, message included.
    if (unavailable || (!hasStatus(error) && (error as unknown) instanceof PoolguardError)) {
      messages.set(reply, error.message)
    }
    done()
  })
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    const message = messages.get(reply)
    const body = message === undefined ? undefined : replaceMessage(payload, message)
    if (body !== undefined) reply.header('content-length', Buffer.byteLength(body))
    done(null, body ?? payload)
  })
}

/** The payload with the client message; undefined if the payload does not contain `message`. */
function replaceMessage(payload: unknown, message: string): string | undefined {
  if (typeof payload !== 'string') return undefined
  try {
    const body = JSON.parse(payload) as { message?: unknown } | null
    return body?.message === message ? JSON.stringify({ ...body, message: MESSAGE_FOR_CLIENTS }) : undefined
  } catch {
    return undefined
  }
}
