import { systemClock } from '@poolguard/core/adapter'
import type { WireClient, WireConnection } from '../wire-client.ts'
import { AddressedSocket } from './addressed-socket.ts'

/**
 * Sends a cancel request for a client's running query. Resolves when the server has closed the connection of the request, which it
 * does after sending the signal. PostgreSQL does not report whether a query was cancelled.
 *
 * Waits for the server to close the connection, because PgBouncer 1.18 crashes if the client closes it first.
 *
 * @param timeoutMillis after this long the connection is closed anyway.
 * @param address the address of the client's server, if its host is a name that may lead to others.
 * @returns false after the timeout: the request may still be on its way.
 */
export function cancelQuery(client: WireClient, timeoutMillis: number, address?: string): Promise<boolean> {
  const { host, port, processID, secretKey, ssl, sslNegotiation, connection: target } = client
  const Connection = target.constructor as new (config: object) => WireConnection
  const stream = address === undefined ? {} : { stream: new AddressedSocket(address) }
  const connection = new Connection({ ssl, sslNegotiation, ...stream })
  const cancel = () => connection.cancel(processID, secretKey)
  return new Promise((resolve) => {
    connection.on('connect', () => {
      if (!ssl) cancel()
      else if (sslNegotiation !== 'direct') connection.requestSsl()
    })
    connection.on('sslconnect', cancel)
    // If the request fails, nothing is cancelled; the caller waits for the effect with a timeout of its own.
    connection.on('error', () => resolve(true))
    connection.on('end', () => resolve(true))
    const expire = () => {
      resolve(false)
      connection.stream.destroy()
    }
    connection.on('end', systemClock.after(timeoutMillis, expire))
    if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`)
    else connection.connect(port, host)
  })
}
