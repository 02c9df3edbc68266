import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import type { ServerAddress } from '@poolguard/core/adapter'
import type { ParsedOptions } from '../internals.ts'

/** The address of one server. */
export interface Endpoint {
  readonly host: string
  readonly port: number
  /** Where to connect, if it is not `host`. */
  readonly address?: string | undefined
  /** The file of a Unix socket; replaces host and port. */
  readonly path: string | undefined
}

/** The first host of a `postgres()` instance. */
export function endpointOf({ host, port, path }: ParsedOptions): Endpoint {
  return { host: host[0] ?? 'localhost', port: port[0] ?? 5432, path: path || undefined }
}

/** A host that is a folder contains a Unix socket, as in libpq. */
export function endpointAt({ host, port, address }: ServerAddress): Endpoint {
  return { host, port, address, path: host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : undefined }
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-SSLREQUEST */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
const SSL_ACCEPTED = 'S'.charCodeAt(0)

/**
 * Connects to a server, with TLS if configured. postgres.js' own connect code retries endlessly if a server closes the connection
 * during login, cannot be aborted, and ends the process if a certificate is invalid.
 *
 * @param options `ssl`, `sslnegotiation` and `socket` mean the same as in postgres.js.
 */
export async function dial(endpoint: Endpoint, options: ParsedOptions, signal?: AbortSignal): Promise<net.Socket> {
  const socket = options.socket ? ((await options.socket(options)) as net.Socket) : net.connect(placeOf(endpoint))
  // The awaits below report errors; without this listener an error in between would end the process.
  socket.on('error', () => {})
  const abort = () => socket.destroy(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  try {
    if (signal?.aborted) abort()
    if (socket.connecting) await once(socket, 'connect')
    // postgres.js reads the address in its errors from these properties.
    Object.assign(socket, { host: endpoint.host, port: endpoint.port })
    return options.ssl ? await secure(socket, endpoint, options) : socket
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

function placeOf({ host, port, address, path }: Endpoint): net.NetConnectOpts {
  return path === undefined ? { host: address ?? host, port } : { path }
}

/** Negotiates TLS as postgres.js does, but fails if the server rejects TLS; postgres.js then starts TLS anyway. */
async function secure(socket: net.Socket, endpoint: Endpoint, options: ParsedOptions): Promise<net.Socket> {
  const { ssl, sslnegotiation } = options
  if (sslnegotiation !== 'direct') {
    socket.write(SSL_REQUEST)
    const answer = await firstByte(socket)
    if (answer !== SSL_ACCEPTED && ssl === 'prefer') return socket
    if (answer !== SSL_ACCEPTED) throw new Error('The server does not support SSL connections')
  }
  const host = endpoint.path === undefined ? endpoint.host : ''
  const secured = tls.connect({
    socket,
    ...(host !== '' && !net.isIP(host) && { servername: host }),
    ...(sslnegotiation === 'direct' && { ALPNProtocols: ['postgresql'] }),
    ...(ssl === 'require' || ssl === 'allow' || ssl === 'prefer' ? { rejectUnauthorized: false } : {}),
    ...(typeof ssl === 'object' && ssl),
  })
  await once(secured, 'secureConnect')
  return Object.assign(secured, { host: endpoint.host, port: endpoint.port })
}

/** Reads the answer to the SSL request. More than one byte is an injected answer (CVE-2021-23222). */
async function firstByte(socket: net.Socket): Promise<number> {
  const closed = new AbortController()
  const onClose = () => closed.abort()
  socket.once('close', onClose)
  try {
    const [answer] = (await once(socket, 'data', { signal: closed.signal })) as [Buffer]
    if (answer.length !== 1)
      throw new Error(
        'The server answered the SSL request with more than one byte, which may be an attack (CVE-2021-23222)',
      )
    return answer[0] as number
  } catch (error) {
    throw closed.signal.aborted
      ? Object.assign(new Error('The server closed the connection after the SSL request'), { code: 'ECONNRESET' })
      : error
  } finally {
    socket.off('close', onClose)
  }
}
