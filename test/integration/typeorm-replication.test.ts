import { type GuardOptions, guardDataSource, guardedPools, type PostgresOptions } from '@poolguard/typeorm'
import { DataSource } from 'typeorm'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'

let primary: PostgresServer
let replica: PostgresServer
beforeAll(async () => {
  ;[primary, replica] = await Promise.all([
    startPostgres({ maxConnections: 23 }),
    startPostgres({ maxConnections: 13 }),
  ])
  // Not a real replica, so that the test can see which server has answered.
  await primary.query(`create table place as select 'primary' as name`)
  await replica.query(`create table place as select 'replica' as name`)
  for (const server of [primary, replica]) await server.query('alter table place owner to app')
})
afterAll(async () => {
  await Promise.all([primary.stop(), replica.stop()])
})

async function connect(
  replicas: readonly string[],
  guard?: GuardOptions,
  options: Partial<PostgresOptions> = {},
): Promise<DataSource> {
  const replication = { master: { url: primary.url }, slaves: replicas.map((url) => ({ url })) }
  const dataSource = new DataSource(guardDataSource({ type: 'postgres', replication, ...options }, guard))
  onTestFinished(async () => {
    if (dataSource.isInitialized) await dataSource.destroy()
  })
  await dataSource.initialize()
  await Promise.all(guardedPools(dataSource).map((pool) => pool.ready()))
  return dataSource
}

function maxima(dataSource: DataSource): number[] {
  return guardedPools(dataSource).map((pool) => pool.settings.values.max)
}

/** Reads and writes many times over, and counts meanwhile how many connections the primary has. */
async function most(dataSource: DataSource): Promise<number> {
  let highest = 0
  let done = false
  const watching = (async () => {
    while (!done) highest = Math.max(highest, await primary.connectionCount())
  })()
  await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const runner = dataSource.createQueryRunner(i % 2 ? 'slave' : 'master')
      await runner.query('select pg_sleep(0.005)')
      await runner.release()
    }),
  )
  done = true
  await watching
  return highest
}

test('given a replica on a server of its own, then reads go there, and each pool has its own capacity', async () => {
  const dataSource = await connect([replica.url], {
    name: 'orders',
    instances: 2,
    headroom: 2,
    readYourWritesMillis: false,
  })
  expect(maxima(dataSource)).toEqual([9, 4])
  expect(guardedPools(dataSource).map((pool) => pool.snapshot().name)).toEqual(['orders', 'orders-replica-1'])
  expect(await dataSource.createQueryBuilder().select('name').from('place', 'place').getRawMany()).toEqual([
    { name: 'replica' },
  ])
  expect(await dataSource.query('select name from place')).toEqual([{ name: 'primary' }])
})

test('given a replica on a server of its own, when max is given, then each pool may have as many', async () => {
  expect(maxima(await connect([replica.url], {}, { poolSize: 5 }))).toEqual([5, 5])
})

test('given a replica on the same server, then both together keep to max', async () => {
  const dataSource = await connect([primary.url], { pool: { max: 6 } })
  expect(maxima(dataSource)).toEqual([3, 3])
  expect(await most(dataSource)).toBeLessThanOrEqual(6)
})

test('given two replicas on the same server, then what is left over goes to the primary', async () => {
  const other = primary.url.replace('127.0.0.1', 'localhost')
  expect(maxima(await connect([primary.url, other, replica.url], {}, { poolSize: 7 }))).toEqual([3, 2, 2, 7])
})

test('given a replica on the same server, when nothing is said of max, then both share the default', async () => {
  expect(maxima(await connect([primary.url]))).toEqual([5, 5])
})

test('given a replica on the same server, when max is 1, then each has one, and that is said', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  onTestFinished(() => warn.mockRestore())
  expect(maxima(await connect([primary.url], {}, { extra: { max: 1 } }))).toEqual([1, 1])
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('max is 1, but 2 pools'), 'PoolguardWarning')
})

test('given a replica on the same server, when instances are given, then each pool counts as one', async () => {
  const dataSource = await connect([primary.url], { instances: 2, headroom: 4 })
  expect(maxima(dataSource)).toEqual([4, 4])
  expect(await most(dataSource)).toBeLessThanOrEqual(8)
})

test('given a name, then each pool is kept under its own over reloads', async () => {
  const first = await connect([primary.url, primary.url], { name: 'kept' })
  const second = await connect([primary.url, primary.url], { name: 'kept' })
  expect(guardedPools(second)).toEqual(guardedPools(first))
  expect(new Set(guardedPools(second)).size).toBe(3)
})
