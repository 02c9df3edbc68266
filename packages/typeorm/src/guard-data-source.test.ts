import { DataSource, type DataSourceOptions } from 'typeorm'
import { expect, expectTypeOf, test, vi } from 'vitest'
import { guardDataSource, guardedPools } from './guard-data-source.ts'

const url = 'postgresql://app:secret@db/orders'

test.each([
  ['another database', { type: 'mysql' }, {}, "Invalid option type: 'mysql'"],
  ['a variable that is not set', { type: 'postgres', url: undefined }, {}, 'Invalid option url: undefined'],
  ['a bad URL', { type: 'postgres', url: 'mysql://db/x' }, {}, '"mysql:"'],
  [
    'a bad URL of a replica',
    { type: 'postgres', replication: { master: { url }, slaves: [{ url: 'mysql://db/x' }] } },
    {},
    '"mysql:"',
  ],
  [
    "poolguard's option among TypeORM's",
    { type: 'postgres', url, fleet: { app: 'orders' } },
    {},
    'Invalid option fleet: an object. It takes no value here: set it in the second argument',
  ],
  [
    'a misspelt option of poolguard',
    { type: 'postgres', url },
    { instance: 6 },
    'this option does not exist. Did you mean instances?',
  ],
  ['an invalid option of poolguard', { type: 'postgres', url }, { instances: 0 }, 'Invalid option instances: 0'],
  [
    'an invalid pool setting of poolguard',
    { type: 'postgres', url },
    { pool: { max: 0 } },
    'Invalid option pool.max: 0',
  ],
  ['an invalid pool size', { type: 'postgres', url, poolSize: 1.5 }, {}, 'Invalid option pool.max: 1.5'],
  ["a URL among poolguard's options", { type: 'postgres', url }, { url }, 'Invalid option url: a text of '],
  ['an invalid driver', { type: 'postgres', url, driver: {} }, {}, 'Invalid option driver'],
])('given %s, then it throws immediately', (_what, options, guard, message) => {
  expect(() => guardDataSource(options as never, guard as never)).toThrow(message)
  expect(() => guardDataSource(options as never, guard as never)).not.toThrow('secret')
})

test('given an undefined url and a host or replication, then those are used', () => {
  const host = 'db'
  guardDataSource({ type: 'postgres', url: undefined as never, host })
  guardDataSource({ type: 'postgres', url: undefined as never, replication: { master: { host }, slaves: [] } })
})

test('given options, then they are not changed, and the result has the same type', () => {
  const options = Object.freeze({ type: 'postgres', url, logging: 'all', autoLoadEntities: true } as const)
  const guarded = guardDataSource(options)
  expectTypeOf(guarded).toEqualTypeOf(options)
  expectTypeOf(guarded).toExtend<DataSourceOptions>()
  expect(guarded).toMatchObject(options)
})

test('given that the cache option is replaced afterwards, then initialize throws', async () => {
  const dataSource = new DataSource({ ...guardDataSource({ type: 'postgres', url }), cache: false })
  await expect(dataSource.initialize()).rejects.toThrow('Invalid option cache')
})

test('given a DataSource that is not initialised, or not guarded, then it has no guarded pools', () => {
  expect(() => guardedPools(new DataSource({ type: 'postgres', url }))).toThrow("Invalid option dataSource: 'not init")
})

test('given fewer connections than pools to one server, then each pool has one, with a warning', () => {
  const onEvent = vi.fn()
  const replication = { master: { url }, slaves: [{ host: 'DB', database: 'orders' }] }
  guardDataSource({ type: 'postgres', replication, poolSize: 1 }, { onEvent })
  expect(onEvent).toHaveBeenCalledExactlyOnceWith({
    type: 'warning',
    message: 'max is 1, but 2 pools (master and replicas) connect to db:5432, so each pool gets 1 connection',
  })
})

test('given options that were guarded already, or a copy of them, then it throws', () => {
  const guarded = guardDataSource({ type: 'postgres', url })
  for (const options of [guarded, { ...guarded, logging: true }]) {
    expect(() => guardDataSource(options)).toThrow('call guardDataSource once')
  }
})
