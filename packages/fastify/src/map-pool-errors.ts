import { isPoolTimeout, PoolguardError } from '@poolguard/core'
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'

/** What clients read instead of a message that names pools, addresses and figures. */
const MESSAGE_FOR_CLIENTS = 'The service cannot reach its database in time. Try again later.'

/**
 * Answers 503 with Retry-After where a handler failed because no connection came free in time, whichever ORM it came
 * through. The error itself goes on to the log and to the app's error handler as it is, and what that sets stands. One that
 * says its status itself keeps it. Where Fastify would send the message of such an error, clients get one without details.
 */
export function mapPoolErrors(fastify: FastifyInstance, retryAfterSeconds: number): void {
  const messages = new WeakMap<FastifyReply, string>()
  fastify.addHook('onError', (_request, reply, error, done) => {
    // Such an error was made for clients, message and all.
    if (saysItsStatus(error)) return done()
    const isTimeout = isPoolTimeout(error)
    if (isTimeout) reply.code(503).header('retry-after', retryAfterSeconds)
    if (isTimeout || (error as unknown) instanceof PoolguardError) messages.set(reply, error.message)
    done()
  })
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    const message = messages.get(reply)
    const body = message === undefined ? undefined : withoutMessage(payload, message)
    if (body !== undefined) reply.header('content-length', Buffer.byteLength(body))
    done(null, body ?? payload)
  })
}

function saysItsStatus({ statusCode, status }: FastifyError & { readonly status?: unknown }): boolean {
  return statusCode !== undefined || status !== undefined
}

/** The same answer with another message; undefined where the message is not in it. */
function withoutMessage(payload: unknown, message: string): string | undefined {
  if (typeof payload !== 'string') return undefined
  try {
    const body = JSON.parse(payload) as { message?: unknown } | null
    return body?.message === message ? JSON.stringify({ ...body, message: MESSAGE_FOR_CLIENTS }) : undefined
  } catch {
    return undefined
  }
}
