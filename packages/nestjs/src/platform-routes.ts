import type { Server, ServerResponse } from 'node:http'
import { Inject } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import { InvalidOptionError } from '@poolguard/core'
import { Drain, type Endpoint, type NodeRequest, type Page, type Reply, servePage } from '@poolguard/web/adapter'

/** The endpoints of the app. */
export interface AppEndpoints {
  /** Those that answer GET with a document. */
  readonly documents: readonly Endpoint[]
  readonly page: Page | undefined
}

/** The token of {@link AppEndpoints}. */
export const ENDPOINTS: symbol = Symbol('poolguard.endpoints')

/** The methods that Express and Fastify responses share. */
interface PlatformResponse {
  status(code: number): this
  header(name: string, value: string): this
  send(body: Reply['body']): unknown
  /** Of Fastify. */
  readonly raw?: ServerResponse
  hijack?(): unknown
}

/** A request of Express, which is Node's, or of Fastify, which has Node's and the body that it has parsed. */
type PlatformRequest = NodeRequest & { readonly raw?: NodeRequest }

/** What Express 5 tells about its routes. */
interface ExpressApp {
  readonly router: {
    readonly stack: readonly { readonly route?: { readonly path: unknown; readonly methods: object } }[]
  }
}

/** What Fastify tells about its routes. */
interface FastifyApp {
  hasRoute(route: { method: string; url: string }): boolean
}

/**
 * Adds the endpoints as routes of the HTTP platform itself: a guard or a prefix of the app must not decide whether Kubernetes considers
 * it alive.
 */
export class PlatformRoutes {
  readonly #endpoints: AppEndpoints
  readonly #drain: Drain
  readonly #host: HttpAdapterHost

  constructor(endpoints: AppEndpoints, drain: Drain, host: HttpAdapterHost) {
    this.#endpoints = endpoints
    this.#drain = drain
    this.#host = host
  }

  /** Call it before Nest adds the app's routes: Express takes the first route that matches, so that a wildcard would hide later ones. */
  addBeforeApp(): void {
    const server: Server = this.#host.httpAdapter.getHttpServer()
    server.prependListener('request', (_request, response) => this.#drain.track(response))
    if (!this.#isFastify) this.#add()
  }

  /**
   * Call it after Nest has added the app's routes.
   *
   * @throws {InvalidOptionError} if the app has a route at the path of an endpoint.
   */
  addAfterApp(): void {
    // An application context has no HTTP platform.
    if (!this.#host?.httpAdapter) return
    const { documents, page } = this.#endpoints
    for (const { option, path } of [...documents, ...(page ? [{ option: 'page', path: page.path }] : [])]) {
      if (this.#isTaken(path)) {
        const wanted = 'another path, or false to keep the route that the app already has there'
        throw new InvalidOptionError(option, path, wanted)
      }
    }
    // Fastify prefers a path to a wildcard, and rejects a second route with an error that would not name the option.
    if (this.#isFastify) this.#add()
  }

  get #isFastify(): boolean {
    return this.#host.httpAdapter.getType() === 'fastify'
  }

  #isTaken(path: string): boolean {
    const app = this.#host.httpAdapter.getInstance()
    if (this.#isFastify) return (app as FastifyApp).hasRoute({ method: 'GET', url: path })
    const same = (app as ExpressApp).router.stack.filter(({ route }) => route?.path === path && 'get' in route.methods)
    // One of them is the endpoint itself.
    return same.length > 1
  }

  #add(): void {
    const { httpAdapter } = this.#host
    const { documents, page } = this.#endpoints
    for (const endpoint of documents) {
      httpAdapter.get(endpoint.path, async (request: PlatformRequest, response: PlatformResponse) => {
        const { status, headers, body } = await endpoint.reply(request.headers)
        response.status(status)
        for (const [name, value] of Object.entries(headers)) response.header(name, value)
        response.send(body)
      })
    }
    if (!page) return
    const serve = (request: PlatformRequest, response: PlatformResponse) => showPage(page, request, response)
    httpAdapter.get(page.path, serve)
    httpAdapter.post(page.path, serve)
  }
}

function showPage(page: Page, request: PlatformRequest, response: PlatformResponse): Promise<void> {
  if (!request.raw || !response.raw) return servePage(page, request, response as unknown as ServerResponse)
  response.hijack?.()
  return servePage(page, Object.assign(request.raw, { body: request.body }), response.raw)
}

// Decorators are called as functions, because Node's type stripping does not support decorators.
Inject(ENDPOINTS)(PlatformRoutes, undefined, 0)
Inject(Drain)(PlatformRoutes, undefined, 1)
Inject(HttpAdapterHost)(PlatformRoutes, undefined, 2)
