import fastifyPostgres from '@fastify/postgres'
import underPressure from '@fastify/under-pressure'
import poolguard from '@poolguard/fastify'
import Fastify from 'fastify'
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { appWith } from './fastify-app.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

test('given @fastify/postgres, then its pools are guarded, shown, and ended by it', async () => {
  const app = Fastify()
  onTestFinished(() => app.close())
  await app.register(poolguard, { details: true })
  await app.register(fastifyPostgres, { pg: app.poolguard.pg, connectionString: server.url, max: 2 })
  await app.register(fastifyPostgres, { pg: app.poolguard.pg, name: 'second', connectionString: server.url, max: 1 })
  app.get('/direct', async () => (await app.pg.query('select 1 as one')).rows)
  app.get('/transact', () => app.pg.transact(async (client) => (await client.query('select 2 as two')).rows))
  app.get(
    '/request',
    { pg: { transact: true } },
    async (request) => (await request.pg?.query('select 3 as three'))?.rows,
  )
  app.get('/named', async () => (await app.pg.second?.query('select 4 as four'))?.rows)

  const answers = await Promise.all(['/direct', '/transact', '/request', '/named'].map((path) => app.inject(path)))
  expect(answers.map((answer) => answer.json())).toEqual([[{ one: 1 }], [{ two: 2 }], [{ three: 3 }], [{ four: 4 }]])
  expect(app.pg.pool).toBeInstanceOf(pg.Pool)
  expect((await app.inject('/readyz')).json()).toMatchObject({ pools: [{ name: 'app' }, { name: 'app' }] })

  await app.close()
  expect(app.poolguard.health().pools).toEqual([])
  await waitUntil(async () => (await server.connectionCount()) === 0, { what: 'no connection is left' })
})

test('given @fastify/postgres and a saturated pool, then its transactions are answered with 503, and go on later', async () => {
  const app = Fastify()
  onTestFinished(() => app.close())
  await app.register(poolguard)
  const pool = { connectionString: server.url, max: 1, connectionTimeoutMillis: 2_000 }
  await app.register(fastifyPostgres, { pg: app.poolguard.pg, ...pool })
  app.get(
    '/request',
    { pg: { transact: true } },
    async (request) => (await request.pg?.query('select 3 as three'))?.rows,
  )
  await app.ready()
  const client = await app.pg.pool.connect()
  const refused = await app.inject('/request')
  client.release()
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '1'])
  expect((await app.inject('/request')).json()).toEqual([{ three: 3 }])
})

test('given @fastify/under-pressure that is unhealthy, then the probes, metrics and admin answer themselves', async () => {
  const app = appWith({ metrics: true, admin: true, adminToken: 'secret' })
  app.register(underPressure, { healthCheck: async () => false, healthCheckInterval: 10_000 })
  app.get('/', async () => 'served')
  const paths = ['/', '/healthz', '/readyz', '/metrics', '/admin/db-pool-stats']
  const headers = { authorization: 'Bearer secret' }
  const answers = await Promise.all(paths.map((url) => app.inject({ url, headers })))
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([503, 200, 200, 200, 200])
})

test('given several registrations by name, then each has its pools, and the one without a name shows all', async () => {
  const app = appWith({ name: 'orders', pool: { url: server.url, max: 1 }, ready: '/orders/readyz', details: true })
  app.register(poolguard, { details: true })
  app.register(poolguard, { name: 'billing', pools: { main: { url: server.url, max: 1 } } })
  await app.ready()
  const { orders, billing } = app.poolguard
  expect((await orders?.pool.query('select 1 as one'))?.rows).toEqual([{ one: 1 }])
  expect((await billing?.pools.main?.query('select 2 as two'))?.rows).toEqual([{ two: 2 }])
  const names = async (path: string) => {
    const { pools } = (await app.inject(path)).json<{ pools: { name: string }[] }>()
    return pools.map(({ name }) => name)
  }
  expect(await names('/orders/readyz')).toEqual(['orders'])
  expect(await names('/readyz')).toEqual(['orders', 'billing-main'])
  await app.close()
  expect([orders?.pool.closed, billing?.pools.main?.closed]).toEqual([true, true])
})
