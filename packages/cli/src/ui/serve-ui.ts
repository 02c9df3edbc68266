import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type PageContent, PageHandler, servePage } from '@poolguard/web/adapter'
import { CannotRunError } from '../outcome.ts'
import { t } from '../output/translate.ts'

/** Other machines cannot reach it. */
const HOST = '127.0.0.1'
const TOKEN_BYTES = 32
const PATH_BYTES = 9

/** The server of the page. */
export interface UiServer extends AsyncDisposable {
  /** With the token in its fragment, which browsers send to no server. */
  readonly address: string
}

/**
 * Serves the page to browsers of this machine only. A random token protects it from other users of the machine, and a random path keeps
 * its cookie from other servers of the machine: browsers send the cookies of a host to all of its ports.
 *
 * @param port 0 is any free port.
 * @param log where each action of the page is logged.
 * @throws {CannotRunError} if the port is in use.
 */
export async function serveUi(content: PageContent, port: number, log: (line: string) => void): Promise<UiServer> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url')
  const path = `/${randomBytes(PATH_BYTES).toString('base64url')}`
  const handler = new PageHandler({ content, adminTokens: [token], cookie: { path }, log })
  const page = { path, respond: (request: Request, from?: string) => handler.respond(request, from) }
  const server = createServer((request, response) => {
    const status = refusalOf(request, path)
    if (status !== undefined) return refuse(response, status)
    servePage(page, request, response).catch(() => response.destroy())
  })
  await listen(server, port)
  const address = `http://${HOST}:${(server.address() as AddressInfo).port}${path}#token=${token}`
  return { address, [Symbol.asyncDispose]: () => close(server) }
}

/**
 * The status for a request that is not for the page. A page of another site can make its own host name an address of this machine (DNS
 * rebinding); its requests then have that host name.
 */
function refusalOf({ headers, url = '' }: IncomingMessage, path: string): number | undefined {
  if (!isLoopback(headers.host)) return 421
  return url === path || url.startsWith(`${path}?`) ? undefined : 404
}

/** Any port: the user may forward another one to this machine. */
function isLoopback(host: string | undefined): boolean {
  return host !== undefined && /^(?:127\.0\.0\.1|localhost)(?::\d{1,5})?$/i.test(host)
}

function refuse(response: ServerResponse, status: number): void {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }
  response.writeHead(status, headers).end(`${t`Open the address that poolguard ui has printed.`}\n`)
}

async function listen(server: Server, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen(port, HOST, resolve)
  await promise.catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'EADDRINUSE' ? t`it is in use` : error.message
    throw new CannotRunError(t`Cannot listen on port ${port} of ${HOST}: ${why}. Pass another --port.`)
  })
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}
