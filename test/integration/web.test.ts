import { inspect } from 'node:util'
import { GuardedPool } from '@poolguard/pg'
import { poolguardWeb } from '@poolguard/web'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { AT_THE_GATE, closeGate } from './gate.ts'
import { RunningStatements } from './running-statements.ts'
import { frameworks, type Route, startWebApp } from './web-app.ts'

let server: PostgresServer
let statements: RunningStatements
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  statements = await RunningStatements.watch(server)
})
afterAll(async () => {
  await statements?.[Symbol.asyncDispose]()
  await server?.stop()
})

const adminToken = 'a-token-for-operators'
const bearer = { authorization: `Bearer ${adminToken}` }

function makePool(name: string, settings: { acquireTimeoutMillis?: number } = {}): GuardedPool {
  const pool = new GuardedPool({ url: server.url, name, max: 1, pool: settings })
  onTestFinished(() => pool.end())
  return pool
}

const select = (pool: GuardedPool, statement: string) => async () => (await pool.query(statement)).rows

describe.each(frameworks)('given an app on %s', (framework) => {
  // Express and Hono print errors.
  beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}))
  afterEach(() => void vi.mocked(console.error).mockRestore())

  test('then it serves its endpoints, and measures waits by route', async () => {
    const pool = makePool(`served-${framework}`)
    await pool.ready()
    const poolguard = poolguardWeb({ metrics: true, admin: true, adminToken, labels: true })
    const one: Route = { path: '/orders/:id', handle: select(pool, 'select 1 as one') }
    const app = await startWebApp(framework, poolguard, [one])

    expect(await (await app.get('/orders/7?a=1')).json()).toEqual([{ one: 1 }])
    expect(await (await app.get('/orders/8')).json()).toEqual([{ one: 1 }])
    expect((await app.get('/made/up')).status).toBe(404)
    const waits = Object.entries(pool.snapshot().stats.waitByLabel)
    expect(waits.map(([label, { count }]) => [label, count])).toEqual([['GET /orders/:id', 2]])

    expect(await (await app.get('/healthz')).json()).toEqual({ status: 'ok' })
    const ready = await app.get('/readyz?verbose', bearer)
    expect(await ready.json()).toMatchObject({ status: 'healthy', pools: [{ name: `served-${framework}` }] })
    expect(ready.headers.get('cache-control')).toBe('no-store')
    const metrics = await app.get('/metrics')
    expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(await metrics.text()).toContain(`db_client_connection_pool_name="served-${framework}"`)
    expect((await app.get('/admin/db-pool-stats')).status).toBe(401)
    expect(await (await app.get('/admin/db-pool-stats', bearer)).json()).toMatchObject({
      pools: [{ name: `served-${framework}`, stats: { max: 1 } }],
    })
    const head = await fetch(`${app.url}/healthz`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  test('when too many callers wait, then further requests are rejected, but not the endpoints', async () => {
    const pool = makePool(`shed-${framework}`)
    await pool.ready()
    const poolguard = poolguardWeb({ shedLoad: { waiters: 0, retryAfterSeconds: 7 } })
    const app = await startWebApp(framework, poolguard, [
      { path: '/slow', handle: select(pool, AT_THE_GATE) },
      { path: '/quick', handle: async () => 'quick' },
    ])
    const gate = await closeGate(server)
    const slow = [app.get('/slow'), app.get('/slow')]
    await waitUntil(() => pool.waitingCount === 1, { what: 'one request waits' })

    const shed = await app.get('/quick')
    expect([shed.status, shed.headers.get('retry-after')]).toEqual([503, '7'])
    expect((await app.get('/readyz')).status).toBe(200)
    await gate.open()
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200])
    expect((await app.get('/quick')).status).toBe(200)
  })

  test('when no connection is available in time, then the reply is 503 without details', async () => {
    const pool = makePool(`busy-${framework}`, { acquireTimeoutMillis: 60 })
    const client = await waitUntil(() => pool.connect().catch(() => undefined), { what: 'there is a connection' })
    const onError = vi.fn()
    const app = await startWebApp(framework, poolguardWeb({ onError }), [
      { path: '/busy', handle: select(pool, 'select 1') },
      { path: '/broken', handle: () => Promise.reject(Object.assign(new Error('mine'), { status: 502 })) },
      { path: '/failing', handle: () => Promise.reject(new TypeError('a bug')) },
    ])
    const reply = await app.get('/busy')
    client?.release()
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await reply.text()).not.toContain(`busy-${framework}`)
    if (framework === 'express' || framework === 'hono') {
      // Express logs after the reply.
      await expect.poll(() => inspect(vi.mocked(console.error).mock.calls)).toContain('No connection from pool')
    }
    if (framework === 'fetch') {
      expect(onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'POOLGUARD_ACQUIRE_TIMEOUT' }))
    } else {
      expect((await app.get('/failing')).status).toBe(500)
      if (framework !== 'hono') expect((await app.get('/broken')).status).toBe(502)
    }
  })

  test('when a client disconnects or the time of its route has passed, then its statement ends', async () => {
    const pool = makePool(`deadlines-${framework}`)
    const [slow, exempt, limited] = [`${framework} slow`, `${framework} exempt`, `${framework} limited`]
    const app = await startWebApp(framework, poolguardWeb({ deadlines: true }), [
      { path: '/slow', handle: select(pool, `select pg_sleep(600) /* ${slow} */`) },
      { path: '/exempt', options: { deadline: false }, handle: select(pool, `select pg_sleep(0.5) /* ${exempt} */`) },
      { path: '/limited', options: { deadline: 200 }, handle: select(pool, `select pg_sleep(600) /* ${limited} */`) },
    ])
    await statements.disconnectDuring(slow, `${app.url}/slow`)
    await statements.ended(slow)
    await statements.disconnectDuring(exempt, `${app.url}/exempt`)
    expect(await statements.count(exempt)).toBe(1)
    await statements.ended(exempt)
    expect((await app.get('/limited')).status).toBe(503)
    await statements.ended(limited)
    await waitUntil(() => pool.counts.active === 0, { what: 'the connection is released' })
    expect(pool.snapshot().stats.closed).toBe(0)
  })

  test('when it drains, then readiness says so, and requests in progress are answered before the server closes', async () => {
    const pool = makePool(`drained-${framework}`)
    await pool.ready()
    const poolguard = poolguardWeb({ closeDelayMillis: 300 })
    const app = await startWebApp(framework, poolguard, [{ path: '/slow', handle: select(pool, AT_THE_GATE) }])
    const gate = await closeGate(server)
    const slow = app.get('/slow')
    await waitUntil(() => pool.counts.active === 1, { what: 'the request is served' })

    const drained = poolguard.drain()
    const ready = await app.get('/readyz')
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'draining' }])
    expect((await app.get('/healthz')).status).toBe(200)
    const closed = drained.then(() => app.server[Symbol.asyncDispose]())
    await gate.open()
    const reply = await slow
    expect([reply.status, await reply.json()]).toEqual([200, [expect.objectContaining({ one: 1 })]])
    if (framework !== 'fetch') expect(reply.headers.get('connection')).toBe('close')
    await closed
  })
})
