import type { PoolEvent } from '@poolguard/core'
import { drizzle } from '@poolguard/drizzle/node-postgres'
import { drizzle as drizzleOnPostgresJs } from '@poolguard/drizzle/postgres-js'
import { guardPostgres } from '@poolguard/postgres-js'
import { PrismaPg } from '@poolguard/prisma'
import { SqlitePool } from '@poolguard/sqlite'
import { guardDataSource } from '@poolguard/typeorm'
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PrismaClient } from '#prisma-client'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { account } from './drizzle-drivers.ts'
import { accounts, makeTables, payments } from './typeorm-model.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  await makeTables(server)
})
afterAll(() => server.stop())

interface Late {
  /** Ends the checkout, and returns a function that still uses it. */
  readonly borrow: () => Promise<() => PromiseLike<unknown>>
  readonly end: () => Promise<unknown>
}

type Make = (onEvent: (event: PoolEvent) => void) => Promise<Late>

/** Lets a handle out of the callback that it is for. */
async function leak<T>(run: (callback: (handle: T) => Promise<unknown>) => PromiseLike<unknown>): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>()
  await run(async (handle) => resolve(handle))
  return await promise
}

const guarded = (onEvent: (event: PoolEvent) => void) => ({ url: server.url, max: 1, onEvent })

const REPORTED: Record<string, Make> = {
  'the transaction of postgres.js': async (onEvent) => {
    const sql = guardPostgres(guarded(onEvent))
    const borrow = async () => {
      const tx = await leak<typeof sql>((callback) => sql.begin((each) => callback(each as unknown as typeof sql)))
      return () => tx`select 1 as one`
    }
    return { borrow, end: () => sql.end() }
  },
  'a savepoint of postgres.js': async (onEvent) => {
    const sql = guardPostgres(guarded(onEvent))
    const borrow = async () => {
      const inner = await leak<typeof sql>((callback) =>
        sql.begin((tx) => tx.savepoint((each) => callback(each as unknown as typeof sql))),
      )
      return () => inner.unsafe('select 1 as one')
    }
    return { borrow, end: () => sql.end() }
  },
  'a reserved connection of postgres.js': async (onEvent) => {
    const sql = guardPostgres(guarded(onEvent))
    const borrow = async () => {
      const reserved = await sql.reserve()
      await reserved`select 1`
      reserved.release()
      await sql`select 1`
      return () => reserved`select 1 as one`
    }
    return { borrow, end: () => sql.end() }
  },
  "Drizzle's tx on pg": async (onEvent) => {
    const db = drizzle({ connection: { ...guarded(onEvent), queryAfterRelease: 'reject' } })
    const borrow = async () => {
      const tx = await leak<typeof db>((callback) => db.transaction((each) => callback(each as unknown as typeof db)))
      return () => tx.select().from(account)
    }
    return { borrow, end: () => db.$client.end() }
  },
  "Drizzle's tx on postgres.js": async (onEvent) => {
    const db = drizzleOnPostgresJs({ connection: guarded(onEvent) })
    const borrow = async () => {
      const tx = await leak<typeof db>((callback) => db.transaction((each) => callback(each as unknown as typeof db)))
      return () => tx.select().from(account)
    }
    return { borrow, end: () => db.$client.end() }
  },
  'a transaction of SQLite': async (onEvent) => {
    const pool = new SqlitePool({ file: ':memory:', onEvent })
    const borrow = async () => {
      const tx = await leak<{ query(sql: string): Promise<unknown> }>((callback) => pool.transaction(callback))
      return () => tx.query('select 1 as one')
    }
    return { borrow, end: () => pool.close() }
  },
}

test.each(Object.entries(REPORTED))(
  'given %s, when it is used after its end, then that fails and is reported',
  async (_what, make) => {
    const events: PoolEvent[] = []
    const { borrow, end } = await make((event) => events.push(event))
    const useLate = await borrow()
    const error = await (async function theApplication() {
      return await useLate()
    })().catch((reason) => reason)
    expect(error).toBeInstanceOf(Error)
    expect(events.filter(({ type }) => type === 'query-after-release')).toMatchObject([
      { rejected: true, stack: expect.stringMatching(/late-queries\.test\.ts:\d+:\d+/) },
    ])
    await end()
  },
)

/** These refuse it themselves, before anything reaches the pool. */
const REFUSED: Record<string, Make> = {
  "TypeORM's manager": async (onEvent) => {
    const options = { type: 'postgres' as const, url: server.url, entities: [accounts, payments] }
    const data = await new DataSource(guardDataSource(options, { onEvent })).initialize()
    const borrow = async () => {
      const manager = await leak<EntityManager>((callback) => data.transaction(callback))
      return () => manager.query('select 1')
    }
    return { borrow, end: () => data.destroy() }
  },
  "TypeORM's query runner": async (onEvent) => {
    const options = { type: 'postgres' as const, url: server.url, entities: [accounts, payments] }
    const data = await new DataSource(guardDataSource(options, { onEvent })).initialize()
    const borrow = async () => {
      const runner: QueryRunner = data.createQueryRunner()
      await runner.connect()
      await runner.release()
      await runner.release()
      return () => runner.query('select 1')
    }
    return { borrow, end: () => data.destroy() }
  },
  "Prisma's tx": async (onEvent) => {
    const prisma = new PrismaClient({ adapter: new PrismaPg(guarded(onEvent)) })
    const borrow = async () => {
      const tx = await leak<Pick<PrismaClient, 'account'>>((callback) => prisma.$transaction(callback))
      return () => tx.account.findMany()
    }
    return { borrow, end: () => prisma.$disconnect() }
  },
}

test.each(Object.entries(REFUSED))(
  'given %s, when it is used after its end, then the ORM refuses it',
  async (_what, make) => {
    const events: PoolEvent[] = []
    const { borrow, end } = await make((event) => events.push(event))
    const useLate = await borrow()
    await expect((async () => await useLate())()).rejects.toThrow()
    expect(events.filter(({ type }) => type === 'query-after-release')).toEqual([])
    await end()
  },
)
