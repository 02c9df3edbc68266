import { LoadShedError } from '@poolguard/fastify'
import { GuardedPool } from '@poolguard/pg'
import type { FastifyInstance } from 'fastify'
import type { PoolClient } from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { appWith, keepLog, saturated, serve } from './fastify-app.ts'
import { AT_THE_GATE, closeGate } from './gate.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

const token = 'a-token-for-operators'
const everyRoute = { metrics: true, admin: true, adminToken: token }

function withRoutes(app: FastifyInstance, pool: () => GuardedPool): FastifyInstance {
  app.get('/slow', async () => (await pool().query(AT_THE_GATE)).rows)
  app.get('/quick', async () => 'quick')
  app.get('/vital', { config: { poolguard: { shedLoad: false } } }, async () => 'vital')
  return app
}

describe('given load shedding', () => {
  test('when more callers wait than allowed, then new requests are turned away, but not the vital ones', async () => {
    const pool = { url: server.url, name: 'orders', max: 1 }
    const app = appWith({ ...everyRoute, pool, shedLoad: { waiters: 2, retryAfterSeconds: 7 } })
    const get = await serve(withRoutes(app, () => app.poolguard.pool))
    await app.poolguard.pool.ready()
    const gate = await closeGate(server)
    const slow = Array.from({ length: 4 }, () => get('/slow'))
    await saturated(app, 1, 3)

    const shed = await get('/quick')
    expect([shed.status, shed.headers.get('retry-after')]).toEqual([503, '7'])
    expect(await shed.json()).toEqual({
      statusCode: 503,
      code: 'POOLGUARD_LOAD_SHED',
      error: 'Service Unavailable',
      message: 'Too many requests wait for the database. Try again later.',
    })
    expect(await (await get('/vital')).text()).toBe('vital')
    for (const method of ['GET', 'HEAD']) expect((await get('/healthz', { method })).status).toBe(200)
    // Three callers that wait are fewer than the default threshold; what matters is that it is answered.
    expect(await (await get('/readyz')).json()).toEqual({ status: 'healthy' })
    const page = await (await get('/metrics')).text()
    expect(page).toMatch(/^poolguard_requests_shed_total 1$/m)
    const admin = await get('/admin/db-pool-stats', { headers: { authorization: `Bearer ${token}` } })
    expect(admin.status).toBe(200)

    await gate.open()
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(await (await get('/quick')).text()).toBe('quick')
  })

  test("when the app owns the pool, then its callers count as well, and the app's error handler decides", async () => {
    const pool = new GuardedPool({ url: server.url, name: 'elsewhere', max: 1 })
    onTestFinished(() => pool.end())
    await pool.ready()
    const app = withRoutes(appWith({ shedLoad: { waiters: 0 } }), () => pool)
    app.setErrorHandler((error, _request, reply) => {
      expect(error).toBeInstanceOf(LoadShedError)
      return reply.send({ sorry: reply.statusCode })
    })
    await app.ready()
    const gate = await closeGate(server)
    const slow = [app.inject('/slow'), app.inject('/slow')]
    await waitUntil(() => pool.waitingCount === 1, { what: 'one waits' })
    const shed = await app.inject('/quick')
    expect([shed.statusCode, shed.json(), shed.headers['retry-after']]).toEqual([503, { sorry: 503 }, '1'])
    await gate.open()
    expect((await Promise.all(slow)).map(({ statusCode }) => statusCode)).toEqual([200, 200])
  })
})

/** Takes the only connection of a pool, however long the server takes to open it. */
async function hold(pool: GuardedPool): Promise<PoolClient> {
  const client = await waitUntil(() => pool.connect().catch(() => undefined), { what: 'there is a connection' })
  return client as PoolClient
}

describe('given a handler that gets no connection in time', () => {
  const pool = () => ({ url: server.url, max: 1, pool: { acquireTimeoutMillis: 60 } })

  test('then the answer is 503 with Retry-After, and the log has the error', async () => {
    const log = keepLog()
    const app = withRoutes(appWith({ pool: pool() }, { logger: log.options }), () => app.poolguard.pool)
    await app.ready()
    const client = await hold(app.poolguard.pool)
    const answer = await app.inject('/slow')
    client.release()
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1'])
    expect(answer.json()).toEqual({
      statusCode: 503,
      code: 'POOLGUARD_ACQUIRE_TIMEOUT',
      error: 'Service Unavailable',
      message: 'The service cannot reach its database in time. Try again later.',
    })
    expect(answer.headers['content-length']).toBe(String(Buffer.byteLength(answer.body)))
    const logged = log.lines.map((line) => JSON.parse(line)).find(({ err }) => err)
    expect(logged).toMatchObject({ level: 50, err: { type: 'AcquireTimeoutError', code: 'POOLGUARD_ACQUIRE_TIMEOUT' } })
  })

  test('and the database cannot be reached, then the answer names no address', async () => {
    const app = withRoutes(appWith({ pool: { url: 'postgresql://app@127.0.0.1:1/app' } }), () => app.poolguard.pool)
    await app.ready()
    const answer = await app.inject('/slow')
    expect(answer.json().message).toBe('The service cannot reach its database in time. Try again later.')
    expect(answer.body).not.toContain('127.0.0.1')
  })

  test("then the app's error handler sees the error as it is, and what it answers stands", async () => {
    const app = withRoutes(appWith({ pool: pool() }), () => app.poolguard.pool)
    app.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) =>
      reply.code(error.statusCode ?? 500).send({ name: error.name }),
    )
    await app.ready()
    const client = await hold(app.poolguard.pool)
    const answer = await app.inject('/slow')
    client.release()
    expect([answer.statusCode, answer.json()]).toEqual([500, { name: 'AcquireTimeoutError' }])
  })

  test('but mapping is off, or the error says its status itself, or is another one, then it is no 503', async () => {
    const app = appWith({ pool: pool(), mapErrors: false })
    withRoutes(app, () => app.poolguard.pool)
    const mapping = appWith({ pool: pool() })
    mapping.get('/upstream', async () => {
      const cause = await mapping.poolguard.pool.query('select 1').catch((error) => error)
      throw Object.assign(new Error('upstream', { cause }), { statusCode: 502 })
    })
    mapping.get('/broken', async () => (await mapping.poolguard.pool.query('select nothing')).rows)
    await Promise.all([app.ready(), mapping.ready()])
    const clients = await Promise.all([hold(app.poolguard.pool), hold(mapping.poolguard.pool)])
    expect((await app.inject('/slow')).statusCode).toBe(500)
    const upstream = await mapping.inject('/upstream')
    expect([upstream.statusCode, upstream.headers['retry-after']]).toEqual([502, undefined])
    for (const client of clients) client.release()
    expect((await mapping.inject('/broken')).statusCode).toBe(500)
  })
})
