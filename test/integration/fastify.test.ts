import { GuardedPool, postgresSource } from '@poolguard/pg'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type PostgresServer, queryOnce, startPostgres, waitUntil } from '../harness/index.ts'
import { appWith, keepLog, saturated, serve } from './fastify-app.ts'
import { AT_THE_GATE, closeGate } from './gate.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

const token = 'a-token-for-operators'
const bearer = { authorization: `Bearer ${token}` }

function withQueries(app: FastifyInstance): FastifyInstance {
  app.get('/quick', async () => (await app.poolguard.pool.query('select 1 as one')).rows)
  app.get('/slow', async () => (await app.poolguard.pool.query(AT_THE_GATE)).rows)
  app.post('/slow/:id', async () => (await app.poolguard.pool.query(AT_THE_GATE)).rows)
  return app
}

test('given a pool that is saturated over HTTP, then readiness says so and why, and it recovers', async () => {
  const app = withQueries(
    appWith({
      pool: { url: server.url, name: 'orders', max: 2 },
      admin: true,
      adminToken: token,
      windowMillis: 100,
      recoveryMillis: 100,
      thresholds: { waiters: { warning: 2, critical: 4 } },
    }),
  )
  const get = await serve(app)
  await app.poolguard.pool.ready()
  expect((await get('/readyz')).status).toBe(200)

  const gate = await closeGate(server)
  const slow = Array.from({ length: 7 }, () => get('/slow'))
  await saturated(app, 2, 5)
  const busy = await get('/readyz')
  expect([busy.status, await busy.json()]).toEqual([503, { status: 'critical' }])
  const told = await get('/readyz', { headers: bearer })
  expect([told.status, await told.json()]).toMatchObject([
    503,
    { pools: [{ name: 'orders', reasons: expect.arrayContaining(['5 callers wait (critical from 4)']) }] },
  ])
  expect((await get('/healthz')).status).toBe(200)
  const admin = await app.inject({ url: '/admin/db-pool-stats', headers: bearer })
  expect(admin.json()).toMatchObject({
    status: 'critical',
    pools: [
      {
        name: 'orders',
        target: expect.not.stringContaining('app:app'),
        stats: { active: 2, max: 2, waiting: 5 },
        topology: { kind: 'direct' },
        health: { status: 'critical', reasons: expect.arrayContaining(['5 callers wait (critical from 4)']) },
      },
    ],
  })

  await gate.open()
  expect((await Promise.all(slow)).map(({ status }) => status)).toEqual(Array(7).fill(200))
  const calm = await waitUntil(
    async () => {
      const answer = await get('/readyz')
      const { status } = (await answer.json()) as { status: string }
      return answer.status === 200 && status
    },
    { what: 'the app is ready again' },
  )
  expect(calm).not.toBe('critical')
})

describe('given details', () => {
  test('with a token, then only requests with the token get the page', async () => {
    const app = appWith({ pool: { url: server.url, name: 'orders' }, adminToken: ['old', token] })
    const told = (headers: Record<string, string>) => app.inject({ url: '/readyz', headers }).then((it) => it.json())
    const all = { status: 'healthy', pools: [{ name: 'orders', status: 'healthy', reasons: [] }] }
    expect(await told(bearer)).toEqual(all)
    expect(await told({ authorization: 'Bearer old' })).toEqual(all)
    expect(await told({})).toEqual({ status: 'healthy' })
    expect(await told({ authorization: 'Bearer wrong' })).toEqual({ status: 'healthy' })
    expect(await told({ authorization: token })).toEqual({ status: 'healthy' })
  })

  test('without a token, then every request gets the page', async () => {
    const app = appWith({ pool: { url: server.url, name: 'orders' }, details: true })
    expect((await app.inject('/readyz')).json()).toMatchObject({ pools: [{ name: 'orders' }] })
  })
})

test('given the admin route, then it opens to a token alone, which the log never has', async () => {
  const log = keepLog()
  const app = appWith({ admin: '/pools', adminToken: [token, 'next'] }, { logger: log.options })
  app.get('/open', async () => 'open')
  const answers = [{}, { authorization: 'Bearer not-the-token' }, { authorization: `Basic ${token}` }, bearer].map(
    (headers) => app.inject({ url: '/pools', headers: headers as Record<string, string> }),
  )
  const [none, wrong, basic, right] = await Promise.all(answers)
  expect([none, wrong, basic, right].map((answer) => answer?.statusCode)).toEqual([401, 401, 401, 200])
  expect(none?.json()).toEqual({ statusCode: 401, error: 'Unauthorized', message: 'missing authorization header' })
  expect((await app.inject({ url: '/pools', headers: { authorization: 'Bearer next' } })).statusCode).toBe(200)
  expect((await app.inject('/open')).statusCode).toBe(200)

  expect(log.lines.filter((line) => line.includes('unauthorized'))).toHaveLength(3)
  expect(log.lines.join('')).not.toMatch(/token/)
})

test('given the metrics page, then it has what the server has, and what was done', async () => {
  const log = keepLog()
  const app = withQueries(
    appWith(
      { pool: { url: server.url, name: 'metered', max: 3 }, metrics: true, labels: true },
      { logger: log.options },
    ),
  )
  const get = await serve(app)
  await app.poolguard.pool.ready()
  const before = log.lines.length
  await Promise.all(Array.from({ length: 20 }, () => app.inject('/quick')))
  const requests = log.lines.slice(before).filter((line) => line.includes('"incoming request"'))
  expect(requests).toHaveLength(20)

  await waitUntil(() => app.poolguard.pool.snapshot().stats.connecting === 0, { what: 'all connections are there' })
  const page = await get('/metrics')
  expect(page.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const text = await page.text()
  const value = (series: string) => {
    const line = text.split('\n').find((each) => each.startsWith(`${series} `))
    return Number(line?.slice(series.length))
  }
  const pool = 'db_client_connection_pool_name="metered"'
  const count = (state: string) => value(`db_client_connection_count{${pool},db_client_connection_state="${state}"}`)
  expect(count('idle') + count('used')).toBe(await server.connectionCount())
  expect(value(`poolguard_labelled_acquires_total{${pool},label="GET /quick"}`)).toBe(20)
  expect(log.lines.join('')).not.toContain('/metrics')

  const open = await app.inject({ url: '/metrics', headers: { accept: 'application/openmetrics-text; version=1.0.0' } })
  expect(open.headers['content-type']).toContain('application/openmetrics-text')
  expect(open.body.endsWith('# EOF\n')).toBe(true)
})

test("given requests at work, then the page tells of them what PostgreSQL's own view tells", async () => {
  const sources = [postgresSource(server.adminUrl, { source: 'postgres', intervalMillis: 0, timeoutMillis: 10_000 })]
  const pool = { url: server.url, name: 'at work', max: 2 }
  const app = withQueries(appWith({ pool, metrics: { sources } }))
  const get = await serve(app)
  await app.poolguard.pool.ready()
  const gate = await closeGate(server)
  const requests = Array.from({ length: 3 }, () => get('/slow'))
  await saturated(app, 2, 1)

  const told = async (metric: string) => {
    const page = await (await get('/metrics')).text()
    return page.split('\n').filter((line) => line.startsWith(`${metric}{`))
  }
  const view = async () => {
    const rows = await queryOnce<{ line: string }>(
      server.adminUrl,
      `select format('poolguard_server_connections{source="postgres",state="%s"} %s', state, count(*)) as line
         from pg_stat_activity where backend_type = 'client backend' group by state order by state`,
    )
    return rows.map(({ line }) => line)
  }
  // Two requests and the session that reads this; the session that holds the gate is idle.
  const seen = [
    'poolguard_server_connections{source="postgres",state="active"} 3',
    'poolguard_server_connections{source="postgres",state="idle"} 1',
  ]
  // The server takes a moment to forget the one who has looked before.
  await expect.poll(view).toEqual(seen)
  await expect.poll(async () => (await told('poolguard_server_connections')).toSorted()).toEqual(seen)
  const label = 'db_client_connection_pool_name="at work"'
  expect(await told('db_client_connection_count')).toContain(
    `db_client_connection_count{${label},db_client_connection_state="used"} 2`,
  )
  expect(await told('db_client_connection_pending_requests')).toEqual([
    `db_client_connection_pending_requests{${label}} 1`,
  ])
  await gate.open()
  expect((await Promise.all(requests)).map(({ status }) => status)).toEqual([200, 200, 200])
})

test('given sources of metrics, then one page has the pools, once, and what the server says, and nothing outlives the app', async () => {
  const sources = [postgresSource(server.adminUrl, { source: 'postgres' })]
  const pool = { url: server.url, name: 'with a server', max: 2 }
  const app = appWith({ pool, metrics: { sources }, ready: true })
  await app.ready()
  await app.poolguard.pool.ready()
  const page = await app.inject('/metrics')
  expect(page.headers['cache-control']).toBe('no-store')
  const lines = page.body.split('\n')
  const pools = lines.filter((line) => line.includes('pool_name="with a server"') && line.endsWith(' 2'))
  expect(pools.filter((line) => line.startsWith('db_client_connection_max{'))).toHaveLength(1)
  expect(lines).toContain('poolguard_server_max_connections{source="postgres"} 20')
  expect(lines).toContain('poolguard_source_up{source="postgres"} 1')
  await app.close()
  await waitUntil(async () => (await server.connectionCount()) === 0, { what: 'no connection is left' })
})

test('given labels, then waits are labelled by route, also after a body, and unmatched paths make no label', async () => {
  const app = withQueries(appWith({ pool: { url: server.url, name: 'labelled' }, labels: true }))
  app.setNotFoundHandler(async () => (await app.poolguard.pool.query('select 1')).rowCount)
  app.addHook('onRequest', async () => void (await app.poolguard.pool.query('select 1')))
  const get = await serve(app)
  // Its own checkouts would be under the first request's label.
  await app.poolguard.pool.ready()
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1}' }
  await get('/slow/7', post)
  await get('/slow/8?a=1', post)
  await get('/quick')
  await get('/made/up')
  const { waitByLabel } = app.poolguard.pool.snapshot().stats
  expect(Object.entries(waitByLabel).map(([label, { count }]) => [label, count])).toEqual([
    ['POST /slow/:id', 4],
    ['GET /quick', 2],
  ])
})

test('given a body that takes its time, then what comes after it is under the label, too', async () => {
  const app = withQueries(appWith({ pool: { url: server.url, name: 'slow body' }, labels: true }))
  const begun = Promise.withResolvers<void>()
  app.addHook('preParsing', async () => begun.resolve())
  const get = await serve(app)
  await app.poolguard.pool.ready()
  const body = new ReadableStream({
    start: async (controller) => {
      controller.enqueue(new TextEncoder().encode('{"a":'))
      await begun.promise
      controller.enqueue(new TextEncoder().encode('1}'))
      controller.close()
    },
  })
  const headers = { 'content-type': 'application/json' }
  expect((await get('/slow/1', { method: 'POST', headers, body, duplex: 'half' })).status).toBe(200)
  expect(app.poolguard.pool.snapshot().stats.waitByLabel).toMatchObject({ 'POST /slow/:id': { count: 1 } })
})

test('given no labels, then none are made', async () => {
  const app = withQueries(appWith({ pool: { url: server.url, name: 'plain' }, labels: false }))
  await app.inject('/quick')
  expect(app.poolguard.pool.snapshot().stats.waitByLabel).toEqual({})
})

test('given no pool, then those that others have made are looked at', async () => {
  const pool = new GuardedPool({ url: server.url, name: 'of the app' })
  onTestFinished(() => pool.end())
  const app = appWith({ details: true, metrics: true })
  await pool.query('select 1')
  expect((await app.inject('/readyz')).json()).toMatchObject({ pools: [{ name: 'of the app' }] })
  expect((await app.inject('/metrics')).body).toContain('of the app')
  expect(app.poolguard.health().pools).toMatchObject([{ name: 'of the app' }])
})
