import { connect } from 'node:net'
import { type Clock, systemClock } from '../../clock.ts'
import type { ServerAddress } from './host-plan.ts'

/** https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-SSLREQUEST */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])

/**
 * Whether a server or pooler answers at all. Asks whether it supports TLS, which takes no connection slot and no password, and needs no
 * reply.
 *
 * @returns false if it does not answer in time, or cannot be reached.
 */
export function pingServer(
  { host, port, address }: ServerAddress,
  timeoutMillis: number,
  clock: Clock = systemClock,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host: address ?? host, port })
  const cancel = clock.after(timeoutMillis, () => resolve(false), { background: true })
  socket.once('connect', () => socket.write(SSL_REQUEST))
  socket.once('data', () => resolve(true))
  socket.once('error', () => resolve(false))
  socket.once('close', () => resolve(false))
  // An app that ends does not wait for the answer.
  socket.unref()
  return promise.finally(() => {
    cancel()
    socket.destroy()
  })
}
