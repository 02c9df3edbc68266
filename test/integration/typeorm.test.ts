import type { GuardedPool } from '@poolguard/pg'
import { type GuardOptions, guardDataSource, guardedPools, type PostgresOptions } from '@poolguard/typeorm'
import {
  DataSource,
  type DataSourceOptions,
  type MigrationInterface,
  QueryFailedError,
  type QueryRunner,
} from 'typeorm'
import { afterAll, beforeAll, describe, expect, expectTypeOf, onTestFinished, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { accounts, makeTables, payments } from './typeorm-model.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  await makeTables(server)
})
afterAll(() => server.stop())

async function connect(options: Partial<PostgresOptions> = {}, guard?: GuardOptions): Promise<DataSource> {
  const dataSource = new DataSource(
    guardDataSource({ type: 'postgres', url: server.url, entities: [accounts, payments], ...options }, guard),
  )
  onTestFinished(async () => {
    if (dataSource.isInitialized) await dataSource.destroy()
  })
  return dataSource.initialize()
}

describe('given the options of a DataSource', () => {
  test('when it is used, then repositories and relations work as with plain TypeORM', async () => {
    const dataSource = await connect()
    const repository = dataSource.getRepository(accounts)
    const saved = await repository.save({ id: 11, owner: 'owner 11', balance: 1 })
    await dataSource.getRepository(payments).save([
      { amount: 3, account: saved },
      { amount: 4, account: saved },
    ])
    const found = await repository.findOne({ where: { id: 11 }, relations: { payments: true } })
    expect(found?.payments?.map(({ amount }) => amount).sort()).toEqual([3, 4])
    await dataSource.getRepository(payments).createQueryBuilder().delete().execute()
    expect(await repository.delete({ id: 11 })).toMatchObject({ affected: 1 })
    expect(await dataSource.query('select count(*)::int as n from account where balance = $1', [100])).toEqual([
      { n: 10 },
    ])
  })

  test('when transactions are nested, then the inner one can be taken back alone', async () => {
    const dataSource = await connect()
    await dataSource.transaction(async (manager) => {
      await manager.update(accounts, { id: 2 }, { balance: 105 })
      const inner = manager.transaction(async (nested) => {
        await nested.update(accounts, { id: 2 }, { balance: 0 })
        throw new Error('taken back')
      })
      await expect(inner).rejects.toThrow('taken back')
    })
    expect(await dataSource.getRepository(accounts).findOneBy({ id: 2 })).toMatchObject({ balance: 105 })
    await dataSource.transaction('SERIALIZABLE', (manager) => manager.update(accounts, { id: 2 }, { balance: 100 }))
    const [pool] = guardedPools(dataSource)
    // It may be looking at the database itself.
    await expect.poll(() => pool.snapshot()).toMatchObject({ dirtyReleases: 0, stats: { active: 0 } })
  })

  test('when far more ask than there are connections, then all are served and the budget is kept', async () => {
    const dataSource = await connect({}, { instances: 7 })
    const [pool] = guardedPools(dataSource)
    await pool.ready()
    expect(pool.settings.values.max).toBe(2)
    const counts: number[] = []
    const many = Array.from({ length: 200 }, (_, i) =>
      i % 2
        ? dataSource.getRepository(accounts).find()
        : dataSource.transaction((manager) => manager.getRepository(accounts).find()),
    )
    let done = false
    const watching = (async () => {
      while (!done) counts.push(await server.connectionCount())
    })()
    for (const rows of await Promise.all(many)) expect(rows).toHaveLength(10)
    done = true
    await watching
    expect(Math.max(...counts)).toBeLessThanOrEqual(2)
    expect(pool.snapshot().stats).toMatchObject({ active: 0, waiting: 0, timeouts: 0 })
  })

  test('when it is destroyed, then it does not wait for query runners that are idle, but for those at work', async () => {
    const dataSource = await connect({ extra: { max: 5 } }, { pool: { drainMillis: 60_000 } })
    const idle = dataSource.createQueryRunner()
    await idle.query('select 1')
    const inTransaction = dataSource.createQueryRunner()
    await inTransaction.startTransaction()
    const running = dataSource.query('select pg_sleep(0.5), 1 as one')
    const destroyed = dataSource.destroy()
    await expect.poll(() => idle.isReleased).toBe(true)
    expect(await inTransaction.query('select 1 as one')).toEqual([{ one: 1 }])
    await inTransaction.commitTransaction()
    await inTransaction.release()
    expect(await running).toMatchObject([{ one: 1 }])
    await destroyed
  })

  test('when a stream is not read to its end, then the next caller gets a connection soon', async () => {
    const dataSource = await connect({ extra: { max: 1 } }, { pool: { acquireTimeoutMillis: 1_500 } })
    const runner = dataSource.createQueryRunner()
    const stream = await runner.stream('select * from generate_series(1, 100000)')
    await new Promise((resolve) => stream.once('data', resolve))
    stream.pause()
    await runner.release()
    expect(await dataSource.query('select 1 as one')).toEqual([{ one: 1 }])
  })

  test('when it is destroyed, then nothing is left open, and it can be initialised again', async () => {
    const dataSource = await connect()
    const [first] = guardedPools(dataSource)
    await dataSource.destroy()
    expect(await server.connectionCount()).toBe(0)
    expect(() => guardedPools(dataSource)).toThrow('not initialised')
    await expect(dataSource.destroy()).rejects.toThrow('not yet established')
    await dataSource.initialize()
    expect(guardedPools(dataSource)[0]).not.toBe(first)
    expect(await dataSource.getRepository(accounts).count()).toBe(10)
  })

  test('when options are used for several DataSources, then each has its pools', async () => {
    const options = guardDataSource({ type: 'postgres' as const, url: server.url }, { pool: { max: 1 } })
    const both = [new DataSource(options), new DataSource(options)] as const
    await Promise.all(both.map((each) => each.initialize()))
    expect(guardedPools(both[0])[0]).not.toBe(guardedPools(both[1])[0])
    await both[0].destroy()
    expect(await both[1].query('select 1 as one')).toEqual([{ one: 1 }])
    await both[1].destroy()
    expect(await server.connectionCount()).toBe(0)
  })

  test('when they have a name, then a module that is loaded again gets the same pool', async () => {
    const load = () => connect({}, { name: 'reloaded', pool: { max: 2 } })
    const before = await load()
    for (let i = 0; i < 12; i++) await load()
    const after = await load()
    const [pool] = guardedPools(after)
    expect(guardedPools(before)[0]).toBe(pool)
    expect(pool.listenerCount('error')).toBe(1)
    await before.destroy()
    expect(await after.getRepository(accounts).count()).toBe(10)
    await after.destroy()
    expect(pool.closed).toBe(true)
  })
})

describe('given an error', () => {
  test("when it is the server's, then it is the same as with plain TypeORM, and the connection is kept", async () => {
    const dataSource = await connect({}, { pool: { max: 1 } })
    const [pool] = guardedPools(dataSource)
    await pool.ready()
    const { opened } = pool.snapshot().stats
    for (let i = 0; i < 5; i++) {
      const error = await dataSource.query('insert into account values (1)').catch((caught: unknown) => caught)
      expect(error).toBeInstanceOf(QueryFailedError)
      expect(error).toMatchObject({ driverError: { code: '23502', table: 'account' }, code: '23502' })
    }
    expect(pool.snapshot().stats.opened).toBe(opened)
  })

  test('when no connection comes free in time, then it says who holds them', async () => {
    const dataSource = await connect({}, { name: 'busy', pool: { max: 1, acquireTimeoutMillis: 2_000 } })
    await guardedPools(dataSource)[0].ready()
    const runner = dataSource.createQueryRunner()
    await runner.connect()
    await expect(dataSource.query('select 1')).rejects.toMatchObject({
      code: 'POOLGUARD_ACQUIRE_TIMEOUT',
      message: expect.stringContaining('No connection from pool "busy"'),
    })
    await runner.release()
  })
})

class AddNote implements MigrationInterface {
  readonly name = 'AddNote1700000000000'
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table account add note text')
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table account drop note')
  }
}

test('given migrations, then they run and are undone, on a pool of one', async () => {
  const dataSource = await connect({ migrations: [AddNote], migrationsRun: true }, { pool: { max: 1 } })
  expect(await dataSource.query('select note from account limit 1')).toEqual([{ note: null }])
  await dataSource.undoLastMigration()
  await expect(dataSource.query('select note from account')).rejects.toThrow('"note"')
  await dataSource.query('drop table migrations')
})

test('given the types, then what goes in comes out', () => {
  const given = { type: 'postgres', url: 'postgresql://db/app', autoLoadEntities: true } as const
  const guarded = guardDataSource(given)
  expectTypeOf(guarded).toEqualTypeOf(given)
  expectTypeOf(guarded).toExtend<DataSourceOptions>()
  expectTypeOf(guardedPools).returns.toEqualTypeOf<[master: GuardedPool, ...replicas: GuardedPool[]]>()
  // @ts-expect-error another database
  expect(() => guardDataSource({ type: 'mysql' })).toThrow("Invalid option type: 'mysql'")
  // @ts-expect-error the URL is TypeORM's option
  expectTypeOf<GuardOptions>().toHaveProperty('url')
})
