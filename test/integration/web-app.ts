import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import Router from '@koa/router'
import type { PoolguardWeb } from '@poolguard/web'
import express from 'express'
import { Hono } from 'hono'
import Koa from 'koa'
import { onTestFinished } from 'vitest'

/** The route options that a test needs; each framework has its own way to set them. */
type RouteOptions = Parameters<PoolguardWeb['serve']>[1]

/** One route for GET, in any framework. */
export interface Route {
  readonly path: string
  readonly options?: RouteOptions
  readonly handle: () => Promise<unknown>
}

export type Framework = 'express' | 'koa' | 'hono' | 'fetch'
export const frameworks: readonly Framework[] = ['express', 'koa', 'hono', 'fetch']

export interface WebApp {
  readonly server: Server
  readonly url: string
  get(path: string, headers?: Record<string, string>): Promise<Response>
}

/** Starts the same app on a framework, and stops it when the test is over. */
export async function startWebApp(framework: Framework, poolguard: PoolguardWeb, routes: Route[]): Promise<WebApp> {
  const server = createServer(LISTENERS[framework](poolguard, routes))
  onTestFinished(() => server[Symbol.asyncDispose]().catch(() => {}))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { server, url, get: (path, headers = {}) => fetch(`${url}${path}`, { headers }) }
}

type Listener = NonNullable<Parameters<typeof createServer>[1]>

const LISTENERS: Readonly<Record<Framework, (poolguard: PoolguardWeb, routes: Route[]) => Listener>> = {
  express(poolguard, routes) {
    const app = express().set('env', 'production')
    app.use(poolguard.express())
    for (const { path, options, handle } of routes) {
      app.get(path, poolguard.express(options), async (_request, response) => void response.json(await handle()))
    }
    return app.use(poolguard.expressErrors())
  },
  koa(poolguard, routes) {
    const app = new Koa()
    app.silent = true
    app.use(poolguard.koa())
    const router = new Router()
    for (const { path, options, handle } of routes) {
      router.get(path, poolguard.koa(options), async (context) => {
        context.body = await handle()
      })
    }
    return app.use(router.routes()).callback()
  },
  hono(poolguard, routes) {
    const app = new Hono()
    app.use(poolguard.hono())
    for (const { path, options, handle } of routes) {
      app.get(path, poolguard.hono(options), async (context) => context.json((await handle()) as object))
    }
    return getRequestListener(app.fetch)
  },
  fetch(poolguard, routes) {
    return getRequestListener(async (request) => {
      const response = await poolguard.respond(request)
      if (response) return response
      const { pathname } = new URL(request.url)
      const found = routes.find(({ path }) => new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`).test(pathname))
      if (!found) return new Response(null, { status: 404 })
      const options = { label: `GET ${found.path}`, ...found.options }
      return poolguard.serve(request, options, async () => Response.json(await found.handle()))
    })
  },
}
