import { emptyCheckpoint } from '@langchain/langgraph-checkpoint'
import { PostgresSaver } from '@langchain/langgraph-checkpoint-postgres'
import { EntitySchema, MikroORM } from '@mikro-orm/postgresql'
import { GuardedPool } from '@poolguard/pg'
import { type PostgresServer, startPostgres } from '@poolguard/test/harness'
import { defineContract } from '@prisma/orm-postgres/contract-builder'
import postgres from '@prisma/orm-postgres/runtime'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import connectPgSimple from 'connect-pg-simple'
import session, { type SessionData } from 'express-session'
import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import createKnex from 'knex'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { PgBoss } from 'pg-boss'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

/** Fewer than each library works with at the same time. */
const MAX = 3

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

let url: string
let databases = 0
beforeEach(async () => {
  const name = `library_${++databases}`
  await server.query(`create database ${name} owner app`)
  url = server.url.replace(/\/[^/]*$/, `/${name}`)
})

/** A pool, and the check that the library has left nothing behind and kept to the maximum. */
async function givenPool(): Promise<{ pool: GuardedPool; end(): Promise<void> }> {
  const events: string[] = []
  const pool = new GuardedPool({
    url,
    max: MAX,
    name: url,
    onEvent: ({ type }) => {
      if (['leak', 'dirty-release', 'timeout', 'query-after-release'].includes(type)) events.push(type)
    },
  })
  let most = 0
  pool.on('connect', () => {
    most = Math.max(most, pool.totalCount)
  })
  return {
    pool,
    async end() {
      await expect.poll(() => pool.counts.active).toBe(0)
      if (!pool.ending) await pool.end()
      expect(most).toBeGreaterThan(0)
      expect(most).toBeLessThanOrEqual(MAX)
      expect(events).toEqual([])
      const left = await server.query(
        `select pid from pg_stat_activity where usename = 'app' and datname <> 'postgres'`,
      )
      expect(left).toEqual([])
    },
  }
}

test('Prisma 8', async () => {
  const { pool, end } = await givenPool()
  await pool.query('create table "Item" (id int primary key, name text not null)')
  const contract = defineContract({}, ({ field, model }) => ({
    models: { Item: model('Item', { fields: { id: field.int().id(), name: field.text() } }) },
  }))
  // Prisma pins an earlier version of @types/pg, whose pool is of another type.
  const db = postgres({ contract, pg: pool as never, verifyMarker: false })
  await db.orm.public?.Item.create({ id: 1, name: 'one' })
  await expect(
    db.transaction(async (tx) => {
      await tx.orm.public?.Item.create({ id: 2, name: 'two' })
      throw new Error('back')
    }),
  ).rejects.toThrow('back')
  const reads = Array.from({ length: 20 }, () => db.orm.public?.Item.all())
  expect(await Promise.all(reads)).toEqual(Array(20).fill([{ id: 1, name: 'one' }]))
  await db.close()
  expect(pool.ending).toBe(false)
  await end()
})

test('Kysely', async () => {
  const { pool, end } = await givenPool()
  const db = new Kysely<{ item: { id: number; name: string } }>({ dialect: new PostgresDialect({ pool }) })
  await sql`create table item (id int primary key, name text not null)`.execute(db)
  await db.insertInto('item').values({ id: 1, name: 'one' }).execute()
  await expect(
    db.transaction().execute(async (tx) => {
      await tx.insertInto('item').values({ id: 2, name: 'two' }).execute()
      throw new Error('back')
    }),
  ).rejects.toThrow('back')
  const read = () => db.selectFrom('item').selectAll().execute()
  expect(await Promise.all(Array.from({ length: 20 }, read))).toEqual(Array(20).fill([{ id: 1, name: 'one' }]))
  await db.destroy()
  expect(pool.ended).toBe(true)
  await end()
})

test('Knex', async () => {
  const { pool, end } = await givenPool()
  const db = createKnex({ client: 'pg', connectionPool: pool } as never)
  await db.schema.createTable('item', (table) => {
    table.integer('id').primary()
  })
  await db.transaction(async (tx) => {
    await tx('item').insert({ id: 1 })
  })
  await expect(
    db.transaction(async (tx) => {
      await tx('item').insert({ id: 2 })
      throw new Error('back')
    }),
  ).rejects.toThrow('back')
  const reads = Array.from({ length: 20 }, () => db('item').select())
  expect(await Promise.all(reads)).toEqual(Array(20).fill([{ id: 1 }]))
  await db.destroy()
  expect(pool.ending).toBe(false)
  await end()
})

test('MikroORM', async () => {
  const { pool, end } = await givenPool()
  const Item = new EntitySchema<{ id: number; name: string; madeAt: Date }>({
    name: 'Item',
    properties: {
      id: { type: 'number', primary: true },
      name: { type: 'string' },
      madeAt: { type: 'Date' },
    },
  })
  const orm = await MikroORM.init({
    entities: [Item],
    dbName: new URL(url).pathname.slice(1),
    driverOptions: new PostgresDialect({ pool }),
  })
  await orm.schema.create()
  const madeAt = new Date('2026-01-02T03:04:05Z')
  const em = orm.em.fork()
  em.create(Item, { id: 1, name: 'one', madeAt })
  await em.flush()
  await expect(
    orm.em.fork().transactional(async (inner) => {
      inner.create(Item, { id: 2, name: 'two', madeAt })
      await inner.flush()
      throw new Error('back')
    }),
  ).rejects.toThrow('back')
  const found = await Promise.all(Array.from({ length: 20 }, () => orm.em.fork().find(Item, {})))
  expect(found.map((items) => items.map(({ id, name, madeAt }) => ({ id, name, madeAt })))).toEqual(
    Array(20).fill([{ id: 1, name: 'one', madeAt }]),
  )
  await orm.close()
  expect(pool.ended).toBe(true)
  await end()
})

test('pg-boss', async () => {
  const { pool, end } = await givenPool()
  const boss = new PgBoss({ db: { executeSql: (text, values) => pool.query(text, values) } })
  boss.on('error', () => {})
  await boss.start()
  await boss.createQueue('mail')
  const done: number[] = []
  await boss.work<{ n: number }>('mail', { pollingIntervalSeconds: 0.5, batchSize: 5 }, async (jobs) => {
    for (const { data } of jobs) done.push(data.n)
  })
  for (let n = 0; n < 5; n++) await boss.send('mail', { n })
  await expect.poll(() => done.toSorted(), { timeout: 30_000 }).toEqual([0, 1, 2, 3, 4])
  await boss.stop({ graceful: true })
  await end()
})

test('graphile-worker', async () => {
  const { pool, end } = await givenPool()
  const done: number[] = []
  const logger = new Logger(() => () => {})
  const utils = await makeWorkerUtils({ pgPool: pool, logger })
  await utils.migrate()
  const runner = await run({
    pgPool: pool,
    logger,
    concurrency: 5,
    noHandleSignals: true,
    taskList: {
      mail: async (payload, { query }) => {
        await query('select 1')
        done.push((payload as { n: number }).n)
      },
    },
  })
  for (let n = 0; n < 5; n++) await utils.addJob('mail', { n })
  await expect.poll(() => done.toSorted(), { timeout: 30_000 }).toEqual([0, 1, 2, 3, 4])
  await runner.stop()
  await utils.release()
  await end()
})

test('connect-pg-simple', async () => {
  const { pool, end } = await givenPool()
  const Store = connectPgSimple(session)
  const store = new Store({ pool, createTableIfMissing: true, pruneSessionInterval: false })
  const stored = { cookie: { originalMaxAge: 60_000 } } as SessionData
  const done = <T>(call: (back: (error: unknown, value?: T) => void) => void) =>
    new Promise<T | undefined>((resolve, reject) => {
      call((error, value) => (error ? reject(error) : resolve(value)))
    })
  await done((back) => store.set('sid', stored, back))
  expect(await done((back) => store.get('sid', back))).toEqual(stored)
  await done((back) => store.destroy('sid', back))
  expect(await done((back) => store.get('sid', back))).toBeUndefined()
  store.close()
  await end()
})

test('better-auth', async () => {
  const { pool, end } = await givenPool()
  const options = {
    database: pool,
    baseURL: 'http://localhost:3000',
    secret: 'a secret of the test, which is long enough',
    emailAndPassword: { enabled: true },
    telemetry: { enabled: false },
    logger: { disabled: true },
  }
  const { runMigrations } = await getMigrations(options)
  await runMigrations()
  const auth = betterAuth(options)
  const body = { email: 'ada@example.com', password: 'correct horse battery', name: 'Ada' }
  await auth.api.signUpEmail({ body })
  expect(await auth.api.signInEmail({ body })).toMatchObject({ user: { email: body.email, name: 'Ada' } })
  await expect(auth.api.signInEmail({ body: { ...body, password: 'wrong' } })).rejects.toThrow()
  await end()
})

test('the LangGraph checkpointer', async () => {
  const { pool, end } = await givenPool()
  const saver = new PostgresSaver(pool)
  await saver.setup()
  const config = { configurable: { thread_id: 'one', checkpoint_ns: '' } }
  const saved = await saver.put(config, emptyCheckpoint(), { source: 'input', step: 0, parents: {} }, {})
  await saver.putWrites(saved, [['channel', 'value']], 'task')
  expect((await saver.getTuple(config))?.pendingWrites).toEqual([['task', 'channel', 'value']])
  await saver.end()
  expect(pool.ended).toBe(true)
  await end()
})
