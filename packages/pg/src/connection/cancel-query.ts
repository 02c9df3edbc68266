import { systemClock } from '@poolguard/core/adapter'
import type { WireClient, WireConnection } from '../wire-client.ts'

/**
 * Asks the server to cancel what a client is running. Resolves when the server has closed the connection that asked, which
 * it does when it has sent the signal; whether there was anything left to cancel, nobody says.
 *
 * @param timeoutMillis after which the asking is given up.
 *
 * The closing is waited for, because PgBouncer 1.18 dies of a cancel request whose connection is closed early.
 */
export function cancelQuery(client: WireClient, timeoutMillis: number): Promise<void> {
  const { host, port, processID, secretKey, ssl, connection: target } = client
  const Connection = target.constructor as new (config: { ssl: unknown }) => WireConnection
  const connection = new Connection({ ssl })
  const cancel = () => connection.cancel(processID, secretKey)
  return new Promise((resolve) => {
    connection.on('connect', () => (ssl ? connection.requestSsl() : cancel()))
    connection.on('sslconnect', cancel)
    // One that cannot be made cancels nothing; the caller has a bound on how long it waits for an effect.
    connection.on('error', () => resolve())
    connection.on('end', resolve)
    connection.on(
      'end',
      systemClock.after(timeoutMillis, () => connection.stream.destroy()),
    )
    if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`)
    else connection.connect(port, host)
  })
}
