import { bearerToken, tokenCheck } from '../endpoints/index.ts'
import { type ActionLog, PageActions, readAction } from './page-actions.ts'
import type { PageContent } from './page-content.ts'
import { pageHtml } from './page-html.ts'
import { streamPage } from './page-stream.ts'
import { isSameOrigin } from './same-origin.ts'
import { type CookieOptions, SessionCookies } from './session-cookie.ts'

/** Nothing but the page's own files may run or be loaded, and no other site may show the page in a frame. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
}

/** Documents younger than this are reused. */
const MAX_AGE_MILLIS = 500
/** Logins and actions are short. */
const MAX_BODY_BYTES = 4_096

export interface PageHandlerOptions {
  readonly content: PageContent
  readonly adminTokens: readonly string[]
  /** Default: a cookie for the path of the page. */
  readonly cookie?: CookieOptions
  /** Default: a process warning. */
  readonly log?: ActionLog
}

/** Answers requests for the live page: its files, its figures and its login all have the page's path and differ by their query. */
export class PageHandler {
  readonly #content: PageContent
  readonly #actions: PageActions
  readonly #sessions: SessionCookies
  readonly #isAdmin: (token: string) => boolean
  /** The document that was read last. */
  #latest = { filter: '', at: -Infinity, text: '' }

  constructor({ content, adminTokens, cookie, log }: PageHandlerOptions) {
    this.#content = content
    this.#actions = new PageActions(content, log)
    this.#sessions = new SessionCookies(adminTokens, cookie)
    this.#isAdmin = tokenCheck(adminTokens)
  }

  /** @param from the address of the client, for the log of actions. */
  async respond(request: Request, from?: string): Promise<Response> {
    const response = await this.#route(request, from)
    for (const [name, value] of Object.entries(HEADERS)) {
      if (!response.headers.has(name)) response.headers.set(name, value)
    }
    return response
  }

  async #route(request: Request, from: string | undefined): Promise<Response> {
    const { searchParams } = new URL(request.url)
    if (request.method === 'POST') return this.#post(request, searchParams.get('do'), from)
    if (request.method !== 'GET') return refuse(405, { allow: 'GET, POST' })
    const file = searchParams.get('file')
    if (file !== null) return replyFile(file)
    const wanted = searchParams.get('get')
    return wanted === null ? replyHtml() : this.#get(request, wanted, searchParams)
  }

  async #post(request: Request, action: string | null, from: string | undefined): Promise<Response> {
    if (!isSameOrigin(request)) return refuse(403)
    if (action === 'login') return this.#logIn(request)
    if (action === 'logout') return empty({ 'set-cookie': this.#sessions.end(isHttps(request)) })
    if (action === 'act' && this.#actions.areOn) return this.#act(request, from)
    return refuse(404)
  }

  /** Only for browsers that are logged in: the page has asked its user, and the log names the session. */
  async #act(request: Request, from = 'an unknown address'): Promise<Response> {
    const session = await this.#sessions.check(request.headers.get('cookie'))
    if (!session) return refuse(401)
    const action = readAction(await readBody(request))
    if (!action) return refuse(400)
    const reason = await this.#actions.perform(action, `Session ${session.id} from ${from}`)
    return reason === undefined ? empty() : Response.json({ statusCode: 409, message: reason }, { status: 409 })
  }

  async #logIn(request: Request): Promise<Response> {
    const token = await readToken(request)
    if (token === undefined) return refuse(400)
    if (!this.#isAdmin(token)) return refuse(401)
    return empty({ 'set-cookie': await this.#sessions.issue(isHttps(request)) })
  }

  async #get(request: Request, wanted: string, query: URLSearchParams): Promise<Response> {
    const access = await this.#authenticate(request)
    if (wanted === 'session') return Response.json({ signedIn: access !== undefined })
    if (!access) return refuse(401, { 'www-authenticate': 'Bearer' })
    const response = this.#read(wanted, query)
    if (access.cookie !== undefined) response.headers.set('set-cookie', access.cookie)
    return response
  }

  #read(wanted: string, query: URLSearchParams): Response {
    const filter = query.get('filter') ?? ''
    switch (wanted) {
      case 'data':
        return jsonResponse(this.#readDocument(filter))
      case 'stream':
        return this.#stream(filter)
      case 'history':
        return Response.json(this.#content.readHistory(readIds(query.get('pools') ?? '')))
      case 'stack':
        return Response.json({ stack: this.#content.readStack(query.get('holder') ?? '') })
      default:
        return refuse(404)
    }
  }

  #stream(filter: string): Response {
    return (
      streamPage(
        () => this.#readDocument(filter),
        () => this.#content.isClosing,
      ) ?? refuse(503)
    )
  }

  /** Several browsers share a document: for a thousand pools it takes a tenth of a second. */
  #readDocument(filter: string): string {
    const now = performance.now()
    if (this.#latest.filter !== filter || now - this.#latest.at >= MAX_AGE_MILLIS) {
      this.#latest = { filter, at: now, text: JSON.stringify(this.#content.readDocument(filter)) }
    }
    return this.#latest.text
  }

  /** @returns undefined without a valid token or session; the cookie that renews a session which ends soon. */
  async #authenticate(request: Request): Promise<{ readonly cookie: string | undefined } | undefined> {
    const token = bearerToken(request.headers.get('authorization') ?? undefined)
    if (token !== undefined) return this.#isAdmin(token) ? { cookie: undefined } : undefined
    const session = await this.#sessions.check(request.headers.get('cookie'))
    if (!session) return undefined
    return { cookie: session.isDue ? await this.#sessions.issue(isHttps(request), session.id) : undefined }
  }
}

function readIds(text: string): ReadonlySet<number> {
  return new Set(text.split(',').map(Number))
}

/** Loaded with the first request: the files take more space than the rest of the package. */
async function loadFiles(): ReturnType<typeof import('@poolguard/page').pageFiles> {
  const { pageFiles } = await import('@poolguard/page')
  return pageFiles()
}

let files: ReturnType<typeof loadFiles> | undefined

function readFiles(): ReturnType<typeof loadFiles> {
  files ??= loadFiles()
  return files
}

async function replyHtml(): Promise<Response> {
  return new Response(pageHtml(await readFiles()), { headers: { 'content-type': 'text/html; charset=utf-8' } })
}

async function replyFile(name: string): Promise<Response> {
  const file = (await readFiles()).find((each) => each.name === name)
  if (!file) return refuse(404)
  const headers = { 'content-type': file.type, 'cache-control': 'public, max-age=31536000, immutable' }
  return new Response(file.text, { headers })
}

/** The token of a login; undefined if the body is something else. */
async function readToken(request: Request): Promise<string | undefined> {
  const { token } = Object(await readBody(request)) as { token?: unknown }
  return typeof token === 'string' ? token : undefined
}

/** The JSON of a request of the page; undefined for anything else. A form of another site cannot send this content type. */
async function readBody(request: Request): Promise<unknown> {
  if (!/^application\/json\s*(?:;|$)/i.test(request.headers.get('content-type') ?? '')) return undefined
  try {
    return JSON.parse(await readText(request))
  } catch {
    return undefined
  }
}

/** @throws if the body is too large: anyone may send one. */
async function readText({ body }: Request): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    if (bytes > MAX_BODY_BYTES) throw new RangeError('The body is too large.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** Behind a proxy the scheme is what the proxy says: it decides only on the cookie's attribute `Secure`. */
function isHttps(request: Request): boolean {
  return request.url.startsWith('https:') || request.headers.get('x-forwarded-proto') === 'https'
}

function jsonResponse(text: string): Response {
  return new Response(text, { headers: { 'content-type': 'application/json' } })
}

function empty(headers: Record<string, string> = {}): Response {
  return new Response(null, { status: 204, headers })
}

function refuse(status: number, headers: Record<string, string> = {}): Response {
  return Response.json({ statusCode: status }, { status, headers })
}
