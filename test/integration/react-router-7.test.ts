import { GuardedPool } from '@poolguard/pg'
import { poolguardWeb } from '@poolguard/web'
import { createRequestHandler, type ServerBuild } from 'react-router-7'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { AT_THE_GATE, closeGate } from './gate.ts'

// React Router 8 has an example that is built. Here, the build of an app with version 7 is written by hand.

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server?.stop())

interface Routed {
  readonly request: Request
  readonly pattern: string
}

/** An app with the routes of the README of @poolguard/web. */
async function makeApp() {
  const pool = new GuardedPool({ url: server.url, name: 'orders', max: 1 })
  onTestFinished(() => pool.end())
  await pool.ready()
  const poolguard = poolguardWeb({ labels: true, shedLoad: { waiters: 0, retryAfterSeconds: 7 } })
  const routes: ServerBuild['routes'] = {
    readyz: {
      id: 'readyz',
      path: 'readyz',
      module: { loader: ({ request }: { request: Request }) => poolguard.handler(request) } as never,
    },
    guarded: {
      id: 'guarded',
      module: {
        middleware: [
          ({ request, pattern }: Routed, next: () => Promise<Response>) =>
            poolguard.serve(request, { label: `${request.method} /${pattern.replace(/^\//, '')}` }, next),
        ],
      } as never,
    },
    order: {
      id: 'order',
      parentId: 'guarded',
      path: 'orders/:id',
      module: { loader: async () => Response.json((await pool.query(AT_THE_GATE)).rows) } as never,
    },
  }
  const build: ServerBuild = {
    entry: { module: { default: () => new Response() } },
    routes,
    assets: { entry: { imports: [], module: '' }, routes: {}, url: '', version: '' },
    publicPath: '/',
    assetsBuildDirectory: '',
    future: { v8_middleware: true, v8_passThroughRequests: false, v8_trailingSlashAwareDataRequests: false },
    ssr: true,
    isSpaMode: false,
    prerender: [],
    routeDiscovery: { mode: 'initial', manifestPath: '' },
  }
  const handle = createRequestHandler(build, 'production')
  return { pool, poolguard, get: (path: string) => handle(new Request(`http://localhost${path}`)) }
}

test('the middleware measures waits by route, rejects requests while the pool is overloaded, and drains', async () => {
  const { pool, poolguard, get } = await makeApp()
  const gate = await closeGate(server)
  const asked = [get('/orders/1'), get('/orders/2')]
  await waitUntil(() => pool.waitingCount === 1, { what: 'one request waits' })

  const shed = await get('/orders/3')
  expect([shed.status, shed.headers.get('retry-after')]).toEqual([503, '7'])
  expect((await get('/readyz')).status).toBe(200)

  const drained = poolguard.drain()
  expect(await (await get('/readyz')).json()).toEqual({ status: 'draining' })
  await gate.open()
  await drained
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200])
  expect(Object.keys(pool.snapshot().stats.waitByLabel)).toEqual(['GET /orders/:id'])
})
