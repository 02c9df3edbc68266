import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import type { ParsedOptions } from '../internals.ts'

/** Where one connection leads to. */
export interface Endpoint {
  readonly host: string
  readonly port: number
  /** A Unix socket's file, instead of the two. */
  readonly path: string | undefined
}

/** The hosts of a `postgres()`, in the order given. */
export function endpointsOf({ host, port, path }: ParsedOptions): readonly Endpoint[] {
  return host.map((name, index) => ({ host: name, port: port[index] ?? port[0] ?? 5432, path: path || undefined }))
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-SSLREQUEST */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
const YES = 'S'.charCodeAt(0)

/**
 * Reaches a server, over TLS where that is wanted. postgres.js could do this itself, but connects again without end where a
 * server hangs up during login, cannot be stopped in the middle, and lets the process die of a certificate that it cannot read.
 *
 * @param options `ssl`, `sslnegotiation` and `socket` have their meaning of postgres.js.
 */
export async function dial(endpoint: Endpoint, options: ParsedOptions, signal?: AbortSignal): Promise<net.Socket> {
  const socket = options.socket
    ? ((await options.socket(options)) as net.Socket)
    : net.connect(endpoint.path === undefined ? endpoint : { path: endpoint.path })
  // What goes wrong is told by whoever waits below; nobody else must die of it.
  socket.on('error', () => {})
  const abort = () => socket.destroy(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  try {
    if (signal?.aborted) abort()
    if (socket.connecting) await once(socket, 'connect')
    // Where the errors of postgres.js say that it was.
    Object.assign(socket, { host: endpoint.host, port: endpoint.port })
    return options.ssl ? await secure(socket, endpoint, options) : socket
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

/** As in postgres.js, but for a server that refuses: it goes on as if that had agreed. */
async function secure(socket: net.Socket, endpoint: Endpoint, options: ParsedOptions): Promise<net.Socket> {
  const { ssl, sslnegotiation } = options
  if (sslnegotiation !== 'direct') {
    socket.write(SSL_REQUEST)
    const answer = await firstByte(socket)
    if (answer !== YES && ssl === 'prefer') return socket
    if (answer !== YES) throw new Error('The server does not support SSL connections')
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

/** More than one would be an answer that nobody has asked for yet (CVE-2021-23222). */
async function firstByte(socket: net.Socket): Promise<number> {
  const closed = new AbortController()
  const hangUp = () => closed.abort()
  socket.once('close', hangUp)
  try {
    const [answer] = (await once(socket, 'data', { signal: closed.signal })) as [Buffer]
    if (answer.length !== 1) throw new Error('The server answered the request for SSL with more than was asked for')
    return answer[0] as number
  } catch (error) {
    throw closed.signal.aborted
      ? Object.assign(new Error('The server closed the connection when asked for SSL'), { code: 'ECONNRESET' })
      : error
  } finally {
    socket.off('close', hangUp)
  }
}
