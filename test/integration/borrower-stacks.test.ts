import { Controller, Get } from '@nestjs/common'
import { type PoolEvent, snapshotPools } from '@poolguard/core'
import { drizzle } from '@poolguard/drizzle/node-postgres'
import { drizzle as drizzleOnPostgresJs } from '@poolguard/drizzle/postgres-js'
import { getPoolToken, InjectPool, PoolguardModule } from '@poolguard/nestjs'
import { GuardedPool, type GuardedPoolConfig } from '@poolguard/pg'
import { type GuardedOptions, guardPostgres } from '@poolguard/postgres-js'
import { PrismaPg } from '@poolguard/prisma'
import { SqlitePool } from '@poolguard/sqlite'
import { drizzle as drizzleOnSqlite } from '@poolguard/sqlite/drizzle'
import { guardDataSource } from '@poolguard/typeorm'
import { sql as drizzleSql, eq } from 'drizzle-orm'
import { integer, sqliteTable } from 'drizzle-orm/sqlite-core'
import pg from 'pg'
import { DataSource } from 'typeorm'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { PrismaClient } from '#prisma-client'
import { type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { account } from './drizzle-drivers.ts'
import { appWith } from './fastify-app.ts'
import { platforms, route, startApp } from './nestjs-app.ts'
import { accounts, makeTables, payments } from './typeorm-model.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 50 })
  await makeTables(server)
})
afterAll(() => server.stop())

const settings = { max: 1, captureStacks: 'always', acquireTimeoutMillis: 200, drainMillis: 5_000 } as const

let pools = 0

/** A pool that lends one connection, and the stacks of its borrowers as the errors of waiters show them. */
function watched() {
  const name = `watched ${++pools}`
  const events: PoolEvent[] = []
  const stacks = () =>
    events.flatMap((event) => (event.type === 'timeout' ? event.error.pool.oldestLeases.map(({ stack }) => stack) : []))
  const config = {
    url: server.url,
    name,
    pool: settings,
    onEvent: (event: PoolEvent) => events.push(event),
  } satisfies GuardedPoolConfig & GuardedOptions
  return { config, stacks }
}

/** Holds up whatever reads or writes accounts, until it is called. */
async function lockAccounts(): Promise<() => Promise<void>> {
  const admin = new pg.Client({ connectionString: server.adminUrl })
  await admin.connect()
  await admin.query('begin; lock table account')
  const unlock = () => admin.end()
  onTestFinished(unlock)
  return unlock
}

const held = () => snapshotPools().some(({ name, stats }) => name.startsWith(`watched ${pools}`) && stats.active > 0)

interface Case {
  /** Runs until the accounts are unlocked. */
  readonly borrow: () => PromiseLike<unknown>
  /** Waits in vain for the connection. */
  readonly wait: () => PromiseLike<unknown>
  readonly end: () => Promise<unknown>
}

/** Every way must lead to this function: by its name, and by this file and a line of it. */
async function borrowerOf({ borrow, wait, end }: Case, stacks: () => (string | null)[]): Promise<void> {
  onTestFinished(async () => void (await end()))
  const isConnected = () =>
    Promise.resolve(wait()).then(
      () => true,
      () => false,
    )
  await waitUntil(isConnected, { what: 'there is a connection' })
  const seen = stacks().length
  const unlock = await lockAccounts()
  const borrowed = (async function theApplication() {
    await borrow()
  })()
  await waitUntil(held, { what: 'the connection is lent' })
  await Promise.resolve(wait()).catch(() => {})
  await unlock()
  await borrowed
  const stack = stacks()[seen]
  expect(stack).toMatch(/borrower-stacks\.test\.ts:\d+:\d+/)
  expect(stack).not.toMatch(/node_modules|node:|packages[\\/]/)
}

describe('the stack of a borrower shows the application', () => {
  const onPg: Record<string, (pool: GuardedPool) => PromiseLike<unknown>> = {
    'pool.query': (pool) => pool.query('select from account'),
    'pool.connect': async (pool) => {
      const client = await pool.connect()
      await client.query('select from account')
      client.release()
    },
    'a callback': (pool) => new Promise((resolve) => pool.query('select from account', resolve)),
  }
  test.each(Object.entries(onPg))('with pg, by %s', async (_way, borrow) => {
    const { config, stacks } = watched()
    const pool = new GuardedPool(config)
    await borrowerOf({ borrow: () => borrow(pool), wait: () => pool.query('select 1'), end: () => pool.end() }, stacks)
  })

  const onPostgresJs: Record<string, (sql: ReturnType<typeof guardPostgres>) => PromiseLike<unknown>> = {
    'a query': (sql) => sql`select from account`,
    unsafe: (sql) => sql.unsafe('select from account where id = $1', [1]),
    begin: (sql) => sql.begin((tx) => tx`select from account`),
    reserve: async (sql) => {
      const reserved = await sql.reserve()
      await reserved`select from account`
      reserved.release()
    },
    'a cursor': (sql) => sql`select from account`.cursor(1, () => {}),
  }
  test.each(Object.entries(onPostgresJs))('with postgres.js, by %s', async (_way, borrow) => {
    const { config, stacks } = watched()
    const sql = guardPostgres(config)
    await borrowerOf({ borrow: () => borrow(sql), wait: () => sql`select 1`, end: () => sql.end() }, stacks)
  })

  // biome-ignore lint/suspicious/noExplicitAny: both drivers' databases, whose types differ.
  const onDrizzle: Record<string, (db: any) => PromiseLike<unknown>> = {
    select: (db) => db.select().from(account),
    'select where': (db) => db.select().from(account).where(eq(account.id, 1)).limit(1),
    execute: (db) => db.execute(drizzleSql`select from account`),
    update: (db) => db.update(account).set({ balance: 7 }).where(eq(account.id, 1)),
    'a relational query': (db) => db.query.account.findFirst(),
    'a prepared query': (db) => db.select().from(account).prepare('prepared').execute(),
    transaction: (db) =>
      db.transaction((tx: { select(): { from(table: unknown): unknown } }) => tx.select().from(account)),
  }
  test.each(Object.entries(onDrizzle))('with Drizzle on pg, by %s', async (_way, borrow) => {
    const { config, stacks } = watched()
    const db = drizzle({ connection: config, schema: { account } })
    const end = () => db.$client.end()
    await borrowerOf({ borrow: () => borrow(db), wait: () => db.execute(drizzleSql`select 1`), end }, stacks)
  })
  test.each(Object.entries(onDrizzle))('with Drizzle on postgres.js, by %s', async (_way, borrow) => {
    const { config, stacks } = watched()
    const db = drizzleOnPostgresJs({ connection: config, schema: { account } })
    const end = () => db.$client.end()
    await borrowerOf({ borrow: () => borrow(db), wait: () => db.execute(drizzleSql`select 1`), end }, stacks)
  })

  const onTypeOrm: Record<string, (data: DataSource) => PromiseLike<unknown>> = {
    'a repository': (data) => data.getRepository(accounts).findOneBy({ id: 1 }),
    'a query builder': (data) => data.getRepository(accounts).createQueryBuilder('a').getMany(),
    query: (data) => data.query('select from account'),
    save: (data) => data.getRepository(accounts).save({ id: 2, owner: 'two', balance: 2 }),
    transaction: (data) => data.transaction((manager) => manager.find(accounts)),
    'a query runner': async (data) => {
      const runner = data.createQueryRunner()
      await runner.connect()
      await runner.query('select from account')
      await runner.release()
    },
  }
  test.each(Object.entries(onTypeOrm))('with TypeORM, by %s', async (_way, borrow) => {
    const { config, stacks } = watched()
    const { url, ...guard } = config
    const entities = [accounts, payments]
    const data = await new DataSource(guardDataSource({ type: 'postgres', url, entities }, guard)).initialize()
    await borrowerOf(
      { borrow: () => borrow(data), wait: () => data.query('select 1'), end: () => data.destroy() },
      stacks,
    )
  })

  // Not those that Prisma gathers first, findUnique and an array of queries: it sends them from a stack of its own.
  const onPrisma: Record<string, (prisma: PrismaClient) => PromiseLike<unknown>> = {
    findMany: (prisma) => prisma.account.findMany(),
    findFirst: (prisma) => prisma.account.findFirst({ where: { id: 1 } }),
    create: (prisma) =>
      prisma.account.upsert({ where: { id: 3 }, create: { id: 3, owner: '', balance: 3 }, update: {} }),
    $queryRaw: (prisma) => prisma.$queryRaw`select 1 from account`,
    'an interactive transaction': (prisma) => prisma.$transaction((tx) => tx.account.findMany()),
  }
  test.each(Object.entries(onPrisma))('with Prisma, by %s', async (_way, borrow) => {
    const { config, stacks } = watched()
    const prisma = new PrismaClient({ adapter: new PrismaPg(config) })
    const end = () => prisma.$disconnect()
    await borrowerOf({ borrow: () => borrow(prisma), wait: () => prisma.$queryRaw`select 1`, end }, stacks)
  })

  test('with Fastify, in a route', async () => {
    const { config, stacks } = watched()
    const app = appWith({ pool: config })
    app.get('/accounts', async () => (await app.poolguard.pool.query('select id from account')).rows)
    await app.ready()
    const { pool } = app.poolguard
    const borrow = () => app.inject('/accounts').then(() => {})
    await borrowerOf({ borrow, wait: () => pool.query('select 1'), end: () => app.close() }, stacks)
  })

  test.each(platforms)('with NestJS on %s, in a controller', async (platform) => {
    const { config, stacks } = watched()
    const { url, ...options } = config
    class AccountsController {
      readonly #pool: GuardedPool
      constructor(pool: GuardedPool) {
        this.#pool = pool
      }
      async find() {
        return (await this.#pool.query('select id from account')).rows
      }
    }
    Controller('accounts')(AccountsController)
    InjectPool()(AccountsController, undefined, 0)
    route(AccountsController, 'find', Get())
    const imports = [PoolguardModule.forRoot({ url, ...options, labels: true })]
    await using running = await startApp(platform, { imports, controllers: [AccountsController] })
    const pool = running.app.get<GuardedPool>(getPoolToken())
    const borrow = () => running.get('/accounts')
    await borrowerOf({ borrow, wait: () => pool.query('select 1'), end: async () => {} }, stacks)
    expect(stacks().at(-1)).toContain('AccountsController.find')
  })

  const things = sqliteTable('things', { id: integer() })
  const slow = 'with recursive t(n) as (select 1 union all select n + 1 from t where n < 1e7) select count(*) from t'
  // biome-ignore lint/suspicious/noExplicitAny: a pool, or Drizzle's database.
  const onSqlite: Record<string, (pool: SqlitePool, db: any) => PromiseLike<unknown>> = {
    query: (pool) => pool.query(slow),
    transaction: (pool) => pool.transaction((tx) => tx.query(slow), { readOnly: true }),
    'Drizzle, by select': (_pool, db) => db.select({ n: drizzleSql`(${drizzleSql.raw(slow)})` }).from(things),
    'Drizzle, by all': (_pool, db) => db.all(drizzleSql.raw(slow)),
  }
  test.each(Object.entries(onSqlite))('with SQLite, by %s', async (_way, borrow) => {
    const { config, stacks } = watched()
    await using pool = new SqlitePool({ file: ':memory:', name: config.name, pool: settings, onEvent: config.onEvent })
    const db = drizzleOnSqlite({ client: pool })
    const isReady = () =>
      pool.ready().then(
        () => true,
        () => false,
      )
    await waitUntil(isReady, { what: 'the thread has started' })
    await pool.exec('create table things (id int); insert into things values (1)')
    const wait = () => pool.query('select 1 from things')
    await borrowerOf({ borrow: () => borrow(pool, db), wait, end: async () => {} }, stacks)
  })
})
