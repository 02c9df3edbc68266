import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Page } from './make-page.ts'

/** The parts of Node's request that the page uses; `body` and `originalUrl` are Express'. */
export interface NodeRequest extends AsyncIterable<unknown> {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly originalUrl?: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly socket?: { readonly remoteAddress?: string | undefined }
  /** Set if a body parser has read the body already. */
  readonly body?: unknown
}

/** Serves the live page to a request of node:http. */
export async function servePage(page: Page, request: NodeRequest, response: ServerResponse): Promise<void> {
  const { status, headers, body } = await page.respond(toWebRequest(request), request.socket?.remoteAddress)
  response.writeHead(status, Object.fromEntries(headers))
  if (!body) return void response.end()
  // Rejects when the client disconnects, which ends the stream of figures.
  await pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), response).catch(() => {})
}

/**
 * The host is not the client's, which may be no valid one: the page reads the header.
 *
 * @param given what the framework knows of the request.
 */
export function toWebRequest(
  request: NodeRequest,
  given: { readonly scheme?: 'http' | 'https'; readonly body?: unknown } = {},
): Request {
  const { scheme = 'http', body = request.body } = given
  const { method = 'GET', url = '/', originalUrl = url, headers } = request
  const init: RequestInit & { duplex: 'half' } = { method, headers: singleHeaders(headers), duplex: 'half' }
  if (method === 'POST') init.body = readBody(request, body)
  return new Request(`${scheme}://localhost${originalUrl}`, init)
}

function singleHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const single = Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []))
  return Object.fromEntries(single)
}

/** The body as a parser has left it, or from the request itself. */
function readBody(request: NodeRequest, parsed: unknown): NonNullable<RequestInit['body']> {
  if (typeof parsed === 'string') return parsed
  return parsed === undefined ? (Readable.toWeb(Readable.from(request)) as ReadableStream) : JSON.stringify(parsed)
}
