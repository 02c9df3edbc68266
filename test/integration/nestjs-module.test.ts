import { type DynamicModule, Inject, Injectable, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { InvalidOptionError, snapshotPools } from '@poolguard/core'
import {
  getPoolToken,
  InjectPool,
  Poolguard,
  PoolguardModule,
  type PoolguardModuleAsyncOptions,
  type PoolguardModuleOptions,
  type PoolguardOptionsFactory,
} from '@poolguard/nestjs'
import { GuardedPool } from '@poolguard/pg'
import { afterAll, beforeAll, describe, expect, expectTypeOf, onTestFinished, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { makeModule } from './nestjs-app.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

class OrderService {
  readonly pool: GuardedPool
  readonly poolguard: Poolguard

  constructor(pool: GuardedPool, poolguard: Poolguard) {
    this.pool = pool
    this.poolguard = poolguard
  }
}
Injectable()(OrderService)
InjectPool()(OrderService, undefined, 0)
Inject(Poolguard)(OrderService, undefined, 1)

async function create(...imports: (DynamicModule | ReturnType<typeof makeModule>)[]) {
  const app = await NestFactory.createApplicationContext(makeModule({ imports }), {
    logger: false,
    abortOnError: false,
  })
  onTestFinished(() => app.close())
  return app
}

const one = () => ({ url: server.url, name: 'orders', pool: { max: 3 } })

describe('given one pool', () => {
  const factories: Record<string, () => DynamicModule> = {
    forRoot: () => PoolguardModule.forRoot(one()),
    'a factory': () => PoolguardModule.forRootAsync({ useFactory: async () => one() }),
    'a factory that injects': () => {
      class ConfigModule {}
      Module({ providers: [{ provide: 'URL', useValue: server.url }], exports: ['URL'] })(ConfigModule)
      const useFactory = (url: string) => ({ ...one(), url })
      return PoolguardModule.forRootAsync({ imports: [ConfigModule], inject: ['URL'], useFactory })
    },
    'a class': () => PoolguardModule.forRootAsync({ useClass: OptionsFactory }),
    'an existing provider': () => {
      class ConfigModule {}
      Module({ providers: [OptionsFactory], exports: [OptionsFactory] })(ConfigModule)
      return PoolguardModule.forRootAsync({ imports: [ConfigModule], useExisting: OptionsFactory })
    },
  }
  class OptionsFactory implements PoolguardOptionsFactory {
    createPoolguardOptions(): PoolguardModuleOptions {
      return one()
    }
  }

  test.for(Object.entries(factories))(
    'when its options come from %s, then every module can inject it, and the app closes it',
    async ([, make]) => {
      const app = await create(make(), makeModule({ providers: [OrderService] }))
      const { pool, poolguard } = app.get(OrderService)
      expect(pool).toBeInstanceOf(GuardedPool)
      expect(app.get(getPoolToken())).toBe(pool)
      expect(poolguard.pool()).toBe(pool)
      expect(() => poolguard.pool('bills')).toThrow(InvalidOptionError)

      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      expect(poolguard.snapshots()).toMatchObject([{ name: 'orders', stats: { max: 3 } }])
      expect(poolguard.health()).toMatchObject({ pools: [{ name: 'orders' }] })
      await app.close()
      expect(pool.closed).toBe(true)
      expect(snapshotPools()).toEqual([])
      expect(await server.connectionCount()).toBe(0)
    },
  )

  test('when the module is not global, then only who imports it can inject it', async () => {
    const local = PoolguardModule.forRoot({ ...one(), isGlobal: false })
    await expect(create(local, makeModule({ providers: [OrderService] }))).rejects.toThrow('POOLGUARD_POOL')
    const app = await create(makeModule({ imports: [local], providers: [OrderService] }))
    expect(app.get(OrderService).pool).toBeInstanceOf(GuardedPool)
  })
})

describe('given several pools', () => {
  const pools = () => ({ orders: { url: server.url }, billing: { url: server.url, pool: { max: 2 } } })
  const modules: Record<string, () => DynamicModule> = {
    forRoot: () => PoolguardModule.forRoot({ pools: pools() }),
    'a factory': () =>
      PoolguardModule.forRootAsync({ poolNames: ['billing', 'orders'], useFactory: () => ({ pools: pools() }) }),
  }

  test.for(Object.entries(modules))('when they come from %s, then each is injected by its key', async ([, make]) => {
    const app = await create(make())
    const [orders, billing] = [app.get(getPoolToken('orders')), app.get(getPoolToken('billing'))]
    expect(orders).not.toBe(billing)
    await Promise.all([orders.query('select 1'), billing.query('select 1')])
    expect(snapshotPools().map(({ name, stats }) => [name, stats.max])).toEqual(
      expect.arrayContaining([
        ['orders', 10],
        ['billing', 2],
      ]),
    )
    expect(app.get(Poolguard).pool('billing')).toBe(billing)
    expect(() => app.get(Poolguard).pool()).toThrow("It takes one of 'orders', 'billing'")
    await app.close()
    expect([orders.closed, billing.closed]).toEqual([true, true])
  })
})

test('given no pool, then the pools of other modules are observed, and stay open', async () => {
  const pool = new GuardedPool({ url: server.url, name: 'elsewhere' })
  onTestFinished(() => pool.end())
  await pool.query('select 1')
  for (const module of [
    PoolguardModule.forRoot(),
    PoolguardModule.forRootAsync({ poolNames: [], useFactory: () => ({}) }),
  ]) {
    const app = await create(module)
    expect(app.get(Poolguard).snapshots()).toMatchObject([{ name: 'elsewhere' }])
    expect(() => app.get(Poolguard).pool()).toThrow('the module has no pools')
    expect(() => app.get(getPoolToken())).toThrow('POOLGUARD_POOL')
    await app.close()
    expect(pool.closed).toBe(false)
  }
})

test('given the same name in an app that is loaded anew, then it gets the same pool, and the older app leaves that open', async () => {
  const [older, latest] = [await create(PoolguardModule.forRoot(one())), await create(PoolguardModule.forRoot(one()))]
  const pool = latest.get(Poolguard).pool()
  expect(older.get(Poolguard).pool()).toBe(pool)
  await older.close()
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await latest.close()
  expect(pool.closed).toBe(true)
  const next = await create(PoolguardModule.forRoot(one()))
  expect((await next.get(Poolguard).pool().query('select 1 as one')).rows).toEqual([{ one: 1 }])
})

test.each<[what: string, make: () => DynamicModule, message: string]>([
  ['a bad setting', () => PoolguardModule.forRoot({ pool: { max: -1 } }), 'Invalid option pool.max: -1'],
  ['no URL', () => PoolguardModule.forRoot({ url: undefined }), 'Is the environment variable set'],
  [
    'one pool and several',
    () => PoolguardModule.forRoot({ url: 'postgresql://db/app', pools: { orders: {} } }),
    'Invalid option pools: an array of 1. It takes no value together with the options of one pool (url)',
  ],
  [
    'no options of a pool',
    () => PoolguardModule.forRoot({ pools: { a: undefined as never } }),
    'Invalid option pools.a',
  ],
  [
    'a bad threshold',
    () => PoolguardModule.forRoot({ thresholds: { waiters: { warning: 9, critical: 2 } } }),
    'Invalid option thresholds.waiters',
  ],
  ['a path without a slash', () => PoolguardModule.forRoot({ health: 'up' }), "Invalid option health: 'up'"],
  ['an admin endpoint without a token', () => PoolguardModule.forRoot({ admin: true }), 'Invalid option adminToken'],
  ['a bad delay', () => PoolguardModule.forRoot({ closeDelayMillis: -1 }), 'Invalid option closeDelayMillis: -1'],
  ['a bad switch', () => PoolguardModule.forRoot({ mapErrors: 'yes' as never }), "Invalid option mapErrors: 'yes'"],
  [
    'several pools that are not declared to Nest',
    () => PoolguardModule.forRootAsync({ useFactory: () => ({ pools: { orders: {}, bills: {} } }) }),
    "Invalid option poolNames: undefined. It takes ['orders', 'bills']: the pools that the factory returns",
  ],
  [
    'a pool that nothing describes',
    () => PoolguardModule.forRootAsync({ useFactory: () => ({}) }),
    'Invalid option poolNames: undefined. It takes []',
  ],
  [
    'one pool, although several are declared to Nest',
    () => PoolguardModule.forRootAsync({ poolNames: ['orders'], useFactory: () => ({ pool: { max: 1 } }) }),
    'Invalid option poolNames: an array of 1. It takes no value',
  ],
  [
    'an invalid setting of one of several',
    () =>
      PoolguardModule.forRoot({ pools: { orders: { url: server.url }, bills: { url: server.url, pool: { max: 0 } } } }),
    'Invalid option pools.bills.pool.max: 0',
  ],
])('given %s, then the app is not made, and the option is named', async (_what, make, message) => {
  await expect((async () => create(make()))()).rejects.toThrow(message)
})

test('given the types, then they say what goes in and comes out', () => {
  expectTypeOf(getPoolToken).returns.toEqualTypeOf<string>()
  expectTypeOf<Poolguard['pool']>().returns.toEqualTypeOf<GuardedPool>()
  expectTypeOf(PoolguardModule.forRoot).returns.toEqualTypeOf<DynamicModule>()
  expectTypeOf<PoolguardModuleAsyncOptions['useFactory']>().extract<(...given: never) => unknown>().toBeFunction()
  // @ts-expect-error only a factory cannot tell it
  expectTypeOf<Parameters<typeof PoolguardModule.forRoot>[0]>().toHaveProperty('poolNames')
  // @ts-expect-error no such option
  expect(PoolguardModule.forRoot({ urls: [] })).toBeTruthy()
})
