import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { PoolEvent } from '@poolguard/core'
import { type GuardOptions, guardDataSource, guardedPools, type PostgresOptions } from '@poolguard/typeorm'
import { DataSource, type MigrationInterface } from 'typeorm'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'

/** What plain TypeORM comes to grief over. */

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  await server.query('create table note (text text)')
  await server.query('alter table note owner to app')
})
afterAll(() => server.stop())

function make(guard: GuardOptions = {}, options: Partial<PostgresOptions> = {}): DataSource {
  const dataSource = new DataSource(guardDataSource({ type: 'postgres', url: server.url, ...options }, guard))
  onTestFinished(async () => {
    if (dataSource.isInitialized) await dataSource.destroy()
  })
  return dataSource
}

/** With a pool that has been looked at: nothing but the test uses its connections. */
async function connect(guard: GuardOptions = {}): Promise<DataSource> {
  const dataSource = await make(guard).initialize()
  await guardedPools(dataSource)[0].ready()
  return dataSource
}

const sleeping = () => server.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`)

describe('given a query runner', () => {
  test('when it is released while it is still being connected, then its connection comes back', async () => {
    const dataSource = await connect({ pool: { max: 1 } })
    const holder = dataSource.createQueryRunner()
    await holder.connect()
    const late = dataSource.createQueryRunner()
    const connecting = late.connect()
    const released = late.release()
    await holder.release()
    await Promise.all([connecting, released])
    expect(guardedPools(dataSource)[0].snapshot().stats).toMatchObject({ active: 0, waiting: 0 })
    expect(await dataSource.query('select 1 as one')).toEqual([{ one: 1 }])
    await dataSource.destroy()
    expect(await server.connectionCount()).toBe(0)
  })

  test('when it is released while connecting fails, then it is released', async () => {
    const dataSource = await connect({ pool: { max: 1, acquireTimeoutMillis: 2_000 } })
    const holder = dataSource.createQueryRunner()
    await holder.connect()
    const late = dataSource.createQueryRunner()
    const connecting = expect(late.connect()).rejects.toMatchObject({ code: 'POOLGUARD_ACQUIRE_TIMEOUT' })
    await late.release()
    await connecting
    expect(late.isReleased).toBe(true)
    await holder.release()
  })

  test('when it is released in a transaction, then that is taken back before the next one gets the connection', async () => {
    const dataSource = await connect({ pool: { max: 1 } })
    const runner = dataSource.createQueryRunner()
    await runner.startTransaction()
    await runner.query(`insert into note values ('left open')`)
    await runner.release()
    expect(await dataSource.query('select text from note')).toEqual([])
    expect(await dataSource.query('select pg_current_xact_id_if_assigned() as id')).toEqual([{ id: null }])
    expect(guardedPools(dataSource)[0].snapshot().dirtyReleases).toBe(1)
  })
})

describe('given work at hand', () => {
  test('when the DataSource is destroyed, then it waits until that is done', async () => {
    const dataSource = await connect()
    const order: string[] = []
    const query = dataSource.query('select pg_sleep(1), 1 as one').then((rows) => {
      order.push('query')
      return rows
    })
    const transaction = dataSource.transaction(async (manager) => {
      await manager.query('select pg_sleep(1)')
      await manager.query(`insert into note values ('done')`)
      order.push('transaction')
    })
    await waitUntil(async () => (await sleeping()).length === 2, { what: 'both run' })
    await Promise.all([dataSource.destroy().then(() => order.push('destroyed')), transaction])
    expect(order.at(-1)).toBe('destroyed')
    expect(await query).toMatchObject([{ one: 1 }])
    expect(await server.query('select text from note')).toEqual([{ text: 'done' }])
    expect(await server.connectionCount()).toBe(0)
    await server.query('delete from note')
  })

  test('when the DataSource is destroyed twice at once, then both wait', async () => {
    const dataSource = await connect()
    const query = dataSource.query('select pg_sleep(0.5), 1 as one')
    await waitUntil(async () => (await sleeping()).length === 1, { what: 'it runs' })
    await Promise.all([dataSource.destroy(), dataSource.destroy()])
    expect(await query).toMatchObject([{ one: 1 }])
  })

  test('when it does not end, then destroy ends it after drainMillis', async () => {
    const dataSource = await connect({ pool: { drainMillis: 100 } })
    const runner = dataSource.createQueryRunner()
    await runner.connect()
    const query = dataSource.query('select pg_sleep(60)')
    const cancelled = expect(query).rejects.toMatchObject({ driverError: { code: '57014' } })
    await waitUntil(async () => (await sleeping()).length === 1, { what: 'it runs' })
    await dataSource.destroy()
    await cancelled
    expect(runner.isReleased).toBe(true)
    expect(await server.connectionCount()).toBe(0)
  })

  test('when others wait for a connection, then destroy serves them, and rejects later callers', async () => {
    const dataSource = await connect({ pool: { max: 1 } })
    const query = dataSource.query('select pg_sleep(0.5), 1 as one')
    await waitUntil(async () => (await sleeping()).length === 1, { what: 'it runs' })
    const waiting = dataSource.query('select 2 as two')
    const destroyed = dataSource.destroy()
    await expect(dataSource.query('select 1')).rejects.toMatchObject({ code: 'POOLGUARD_CLOSED' })
    await destroyed
    expect(await query).toMatchObject([{ one: 1 }])
    expect(await waiting).toEqual([{ two: 2 }])
  })
})

describe('given that initialize fails', () => {
  async function expectNothingLeft(dataSource: DataSource, error: string | RegExp): Promise<void> {
    for (let i = 0; i < 3; i++) await expect(dataSource.initialize()).rejects.toThrow(error)
    expect(dataSource.isInitialized).toBe(false)
    expect(await server.connectionCount()).toBe(0)
  }

  test('when the primary is dead, then no connection to a replica is left open, and later it works', async () => {
    const primary = await startPostgres()
    onTestFinished(() => primary.stop())
    const { url } = server
    const replication = { master: { url: primary.url }, slaves: [{ url }, { url }] }
    const dataSource = make({}, { url: undefined as never, replication })
    await primary.kill('SIGKILL')
    await expectNothingLeft(dataSource, /^connect ECONNREFUSED .*No server has answered at this address/)
    await primary.restart()
    await dataSource.initialize()
    expect(guardedPools(dataSource)).toHaveLength(3)
  })

  test('when the cache cannot be connected, then no connection is left open', async () => {
    const cache = { connect: () => Promise.reject(new Error('no cache')), disconnect: async () => {} }
    await expectNothingLeft(make({}, { cache: { provider: () => cache as never } }), 'no cache')
  })

  test('when a migration fails, then no connection is left open', async () => {
    class Fails implements MigrationInterface {
      readonly name = 'Fails1700000000000'
      up(): Promise<void> {
        return Promise.reject(new Error('cannot be'))
      }
      async down(): Promise<void> {}
    }
    await server.query('grant create on schema public to app')
    await expectNothingLeft(make({}, { migrations: [Fails], migrationsRun: true }), 'cannot be')
  })
})

test('given the DataSource used inside of a transaction on the last connection, then the deadlock is reported', async () => {
  const events: PoolEvent['type'][] = []
  const dataSource = await connect({
    pool: { max: 1, acquireTimeoutMillis: 5_000 },
    onEvent: ({ type }) => events.push(type),
    detectDeadlocks: true,
  })
  const stuck = dataSource
    .transaction(async (manager) => {
      await manager.query('select 1')
      await dataSource.query('select 2')
    })
    .catch((error: Error) => error)
  await waitUntil(() => events.includes('deadlock'), { what: 'the deadlock is reported', deadlineMillis: 4_900 })
  expect(await stuck).toMatchObject({
    message: expect.stringContaining('Every holder of a connection waits for another one'),
  })
  expect(await dataSource.query('select 1 as one')).toEqual([{ one: 1 }])
})

test('given connections lost in every phase, then the process lives and the pool goes on', async () => {
  const program = fileURLToPath(new URL('./typeorm-loses-connections.ts', import.meta.url))
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, server.url, server.adminUrl])
  expect(stdout.trim()).toBe('idle, in a transaction, in a query, manual transaction, at the end')
  expect(stderr).toBe('')
})
