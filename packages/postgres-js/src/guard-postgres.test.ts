import { inspect } from 'node:util'
import postgres from 'postgres'
import { afterEach, describe, expect, expectTypeOf, test, vi } from 'vitest'
import { type GuardedSql, guardPostgres, sharedGuardedSql } from './index.ts'
import { requireInternals } from './internals.ts'

afterEach(() => vi.unstubAllEnvs())

const URL = 'postgresql://app:s3cret@db:6000/orders'

describe('custom types', () => {
  test('the result is a Sql with the types of the options', () => {
    expectTypeOf(guardPostgres).toBeFunction()
    expectTypeOf<GuardedSql>().toExtend<postgres.Sql>()
    const sql = guardPostgres(URL)
    expectTypeOf(sql).toExtend<postgres.Sql>()
    expectTypeOf(sql<{ id: number }[]>`select 1`).resolves.toExtend<{ id: number }[]>()
    const typed = guardPostgres(URL, { types: { bigint: postgres.BigInt } })
    expectTypeOf(typed).toExtend<postgres.Sql<{ bigint: bigint }>>()
    expectTypeOf(typed.typed.bigint).parameter(0).toEqualTypeOf<bigint>()
    expectTypeOf(typed.begin).toEqualTypeOf<postgres.Sql<{ bigint: bigint }>['begin']>()
  })
})

describe('guardPostgres', () => {
  test('opens no connection and applies the options', () => {
    const sql = guardPostgres(URL, { max: 3, instances: 6 })
    expect(sql.snapshot()).toMatchObject({
      name: 'orders',
      target: 'postgresql://app@db:6000/orders',
      stats: { total: 0 },
    })
    expect(sql.settings.values.max).toBe(1)
    expect(sql.options).toMatchObject({ host: ['db'], port: [6000], user: 'app', database: 'orders', prepare: false })
    expect(inspect(sql)).not.toContain('s3cret')
  })

  test('options, aliases included, override the URL, and pool parameters of the URL set the pool', () => {
    const sql = guardPostgres(`${URL}?connection_limit=4&pool_timeout=2&statement_timeout=7`, {
      ...{ hostname: 'other', username: 'me', db: 'mine', password: 'x', connection: { application_name: 'tests' } },
      pool: { max: 5 },
    })
    expect(sql.options).toMatchObject({ host: ['other'], user: 'me', database: 'mine' })
    expect(sql.options.connection).toEqual({ application_name: 'tests', statement_timeout: '7' })
    expect(sql.settings.values).toMatchObject({ max: 5, acquireTimeoutMillis: 2_000 })
  })

  test('reads the environment as postgres.js does, with PGMAX as a number', () => {
    vi.stubEnv('PGHOST', 'from-env')
    vi.stubEnv('PGMAX', '3')
    vi.stubEnv('PGIDLE_TIMEOUT', '9')
    const sql = guardPostgres()
    expect(sql.options.host).toEqual(['from-env'])
    expect(sql.settings.values).toMatchObject({ max: 3, idleTimeoutMillis: 9_000 })
    vi.stubEnv('PGMAX', 'many')
    expect(() => guardPostgres()).toThrow("Invalid option PGMAX: 'many'")
  })

  test.each([
    [{ max: '3' }, "Invalid option max: '3'"],
    [{ max: 0 }, 'Invalid option max: 0'],
    [{ idle_timeout: 'soon' }, "Invalid option idle_timeout: 'soon'"],
    [{ connect_timeout: -1 }, 'Invalid option connect_timeout: -1'],
    [{ pool: { max: 0 } }, 'Invalid option pool.max: 0'],
    [{ sessionState: 'loud' }, "Invalid option sessionState: 'loud'"],
    [{ pooler: 'pgcat' }, "Invalid option pooler: 'pgcat'"],
    [{ acquireTimeoutMillis: 3 }, 'set pool.acquireTimeoutMillis instead'],
    [{ ssl: { cert: 'no certificate' } }, "Invalid option ssl: '{...}'"],
  ])('an invalid option (%o) is rejected with its name', (options, message) => {
    expect(() => guardPostgres(URL, options as never)).toThrow(message)
  })

  test('an unset environment variable for the URL is rejected immediately', () => {
    expect(() => guardPostgres(undefined)).toThrow('Invalid option url: undefined')
    expect(() => guardPostgres({ url: undefined })).toThrow('Is the environment variable set')
  })

  test.each([
    [{ idle_timeout: 0 }, { idleTimeoutMillis: Infinity }],
    [
      { idle_timeout: 20, max_lifetime: null },
      { idleTimeoutMillis: 20_000, maxLifetimeMillis: Infinity },
    ],
    [{ connect_timeout: 3 }, { connectTimeoutMillis: 3_000 }],
    [{ connect_timeout: 0 }, { connectTimeoutMillis: 5_000 }],
  ])('%o sets %o', (options, settings) => {
    expect(guardPostgres(URL, options).settings.values).toMatchObject(settings)
  })
})

test('a second call with the same name returns the same pool', async () => {
  const { pool } = sharedGuardedSql({ url: URL, name: 'held' })
  expect(sharedGuardedSql({ url: URL, name: 'held' }).pool).toBe(pool)
  await pool.end()
  expect(sharedGuardedSql({ url: URL, name: 'held' }).pool).not.toBe(pool)
})

test('a postgres.js with other internals is rejected with the names of the missing members', () => {
  const plain = postgres()
  const other = Object.assign((..._: unknown[]) => undefined, plain, { unsafe: () => Promise.resolve() })
  expect(() => requireInternals(other as unknown as postgres.Sql)).toThrow(/not supported: it has no query.handler, no/)
})
