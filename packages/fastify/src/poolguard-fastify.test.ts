import type { ProcessHealth } from '@poolguard/core'
import { GuardedPool } from '@poolguard/pg'
import Fastify, { type FastifyInstance } from 'fastify'
import pg from 'pg'
import { expect, expectTypeOf, onTestFinished, test } from 'vitest'
import poolguard, { type PoolguardFastifyOptions, poolguardFastify } from './index.ts'

/** These tests open no connection. */
const url = 'postgresql://nobody@localhost:1/nothing'

function appWith(...registrations: readonly PoolguardFastifyOptions[]): FastifyInstance {
  const app = Fastify()
  onTestFinished(() => app.close())
  for (const options of registrations) app.register(poolguard, options)
  return app
}

test('given the module, then it is exported like other Fastify plugins', () => {
  expect(poolguardFastify).toBe(poolguard)
  expect(Object.entries(poolguard)).toEqual([
    ['default', poolguard],
    ['poolguardFastify', poolguard],
  ])
})

test('given no options, then only the probes answer', async () => {
  const app = appWith({})
  const [health, ready] = [await app.inject('/healthz'), await app.inject('/readyz')]
  expect([health.statusCode, health.json()]).toEqual([200, { status: 'ok' }])
  expect([ready.statusCode, ready.json()]).toEqual([200, { status: 'healthy' }])
  expect(ready.headers['cache-control']).toBe('no-store')
  expect(app.printRoutes({ commonPrefix: false }).match(/\/\S+/g)).toEqual(['/healthz', '/readyz'])
  expect(app.hasPlugin('@poolguard/fastify')).toBe(true)
})

test('given HEAD requests, then the probes answer as to GET, without a body', async () => {
  const app = appWith({ metrics: true })
  for (const url of ['/healthz', '/readyz']) {
    const answer = await app.inject({ method: 'HEAD', url })
    expect([answer.statusCode, answer.body]).toEqual([200, ''])
  }
  expect((await app.inject({ method: 'HEAD', url: '/metrics' })).statusCode).toBe(404)
})

test('given custom paths and disabled routes, then only the custom paths answer', async () => {
  const app = appWith({ health: false, ready: '/up', metrics: true })
  await app.ready()
  expect(app.printRoutes({ commonPrefix: false }).match(/\/\S+/g)).toEqual(['/up', '/metrics'])
})

test.each(['health', 'ready', 'metrics'] as const)(
  'given an app that already has a route at the path of %s, then the error names the option',
  async (option) => {
    const app = appWith({ [option]: '/mine' })
    app.get('/mine', () => 'mine')
    await expect(app.ready()).rejects.toThrow(`Invalid option ${option}: '/mine'. It takes another path, or false`)
  },
)

test('given one pool and several, then they are available and typed', async () => {
  const one = appWith({ pool: { url, name: 'one' } })
  await one.ready()
  expectTypeOf(one.poolguard.pool).toExtend<GuardedPool>()
  expectTypeOf(one.poolguard.health()).toEqualTypeOf<ProcessHealth>()
  expectTypeOf(one.poolguard.pg).toExtend<typeof pg>()
  expect(one.poolguard.pool.snapshot().name).toBe('one')
  expect(one.poolguard.pg.Client).toBe(pg.Client)
  expect(new one.poolguard.pg.Pool({ connectionString: url })).toBeInstanceOf(pg.Pool)
  expect(one.poolguard.health()).toMatchObject({ status: 'healthy', pools: [{ name: 'one' }] })

  const several = appWith({ pools: { orders: { url }, billing: { url, name: 'invoices' } } })
  await several.ready()
  expectTypeOf(several.poolguard.pools.orders).toExtend<GuardedPool | undefined>()
  const names = Object.entries(several.poolguard.pools).map(([key, pool]) => [key, pool.snapshot().name])
  expect(names).toEqual([
    ['orders', 'orders'],
    ['billing', 'invoices'],
  ])
  expect(() => several.poolguard.pool).toThrow(expect.objectContaining({ option: 'pool' }))
})

test('given several registrations in any order, then each is available by its name', async () => {
  const app = appWith(
    { name: 'orders', pool: { url } },
    { details: true },
    { name: 'billing', pools: { main: { url } } },
  )
  await app.ready()
  expectTypeOf(app.poolguard.orders).toExtend<{ readonly pool: GuardedPool } | undefined>()
  expect(app.poolguard.orders?.pool.snapshot().name).toBe('orders')
  expect(app.poolguard.billing?.pools.main?.snapshot().name).toBe('billing-main')
  expect(app.poolguard.billing?.health().pools).toMatchObject([{ name: 'billing-main' }])
  expect((await app.inject('/readyz')).json()).toEqual({ status: 'healthy', pools: [] })
})

test.each<[description: string, option: string, registrations: readonly object[]]>([
  ['a second registration without a name', 'name', [{}, {}]],
  ['a name that is taken', 'name', [{ name: 'orders' }, { name: 'orders' }]],
  ['a reserved name', 'name', [{ name: 'health' }]],
  ['pool and pools', 'pools', [{ pool: { url }, pools: {} }]],
  ['invalid pools', 'pools', [{ pools: 7 }]],
  ['a plain pool', 'pool', [{ pool: new pg.Pool() }]],
  ['an invalid configuration', 'pools.orders', [{ pools: { orders: url } }]],
  ['a URL that is not set', 'pool.url', [{ pool: { url: undefined } }]],
  [
    'an invalid setting of one of several pools',
    'pools.b.pool.max',
    [{ pools: { a: { url }, b: { url, pool: { max: 0 } } } }],
  ],
  ['an unknown threshold', 'thresholds.waiting', [{ thresholds: { waiting: 5 } }]],
  ['an invalid window', 'windowMillis', [{ windowMillis: -1 }]],
  ["a delay that is longer than Fastify's pluginTimeout", 'closeDelayMillis', [{ closeDelayMillis: 10_000 }]],
  ['an invalid switch', 'labels', [{ labels: 'yes' }]],
])('given %s, then the error names %s', async (_what, option, registrations) => {
  const app = appWith(...registrations)
  await expect(app.ready()).rejects.toMatchObject({ code: 'POOLGUARD_INVALID_OPTION', option })
})

test('given an unused pool, then closing the app ends it; a pool that was passed in stays open', async () => {
  const app = appWith({ pool: { url } }, { name: 'handed', pool: new GuardedPool({ url }) })
  await app.ready()
  const { pool, handed } = app.poolguard
  await app.close()
  expect([pool.closed, handed?.pool.closed]).toEqual([true, false])
})
