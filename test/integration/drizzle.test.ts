import type { PoolEvent } from '@poolguard/core'
import { drizzle } from '@poolguard/drizzle/node-postgres'
import { GuardedPool } from '@poolguard/pg'
import { eq, sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, expect, expectTypeOf, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { makeAccounts } from './accounts.ts'

const account = pgTable('account', {
  id: integer().primaryKey(),
  owner: text().notNull(),
  balance: integer().notNull(),
})

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  await makeAccounts(server)
})
afterAll(() => server.stop())

test('given a URL, then queries, transactions and the relational schema work as with plain Drizzle', async () => {
  const db = drizzle(server.url, { schema: { account } })
  expectTypeOf(db.$client).toEqualTypeOf<GuardedPool>()

  const found = await db.query.account.findFirst({ where: eq(account.id, 1) })
  expectTypeOf(found).toEqualTypeOf<{ id: number; owner: string; balance: number } | undefined>()
  expect(found).toEqual({ id: 1, owner: 'owner 1', balance: 100 })

  await db.transaction(async (tx) => {
    await tx
      .update(account)
      .set({ balance: sql`${account.balance} + 5` })
      .where(eq(account.id, 2))
    await expect(
      tx.transaction(async (nested) => {
        await nested.update(account).set({ balance: 0 }).where(eq(account.id, 2))
        throw new Error('taken back')
      }),
    ).rejects.toThrow('taken back')
  })
  expect(await db.select().from(account).where(eq(account.id, 2))).toMatchObject([{ balance: 105 }])
  await db.$client.end()
})

test('given options, then the pool has them; given a pool, then it is used', async () => {
  const db = drizzle({ connection: { url: server.url, name: 'orders', instances: 7 } })
  await db.execute(sql`select 1`)
  expect((await db.$client.ready()).name).toBe('orders')
  expect(db.$client.resolved.settings.max).toBe(2)
  await db.$client.end()

  const pool = new GuardedPool({ url: server.url })
  const other = drizzle({ client: pool, schema: { account } })
  expect(other.$client).toBe(pool)
  expect(await other.query.account.findMany()).toHaveLength(10)
  await pool.end()
})

test('given far more callers than connections, then all are served and the budget is kept', async () => {
  const db = drizzle({ connection: { url: server.url, instances: 7 } })
  const many = Array.from({ length: 200 }, (_, i) =>
    i % 2 ? db.select().from(account) : db.transaction((tx) => tx.select().from(account)),
  )
  const watch = setInterval(() => expect(db.$client.totalCount).toBeLessThanOrEqual(2), 5)
  for (const rows of await Promise.all(many)) expect(rows).toHaveLength(10)
  clearInterval(watch)
  expect(db.$client.snapshot().stats).toMatchObject({ opened: 2, active: 0, waiting: 0 })
  await db.$client.end()
})

test('given a statement that fails, then the error is the same and the connection is kept', async () => {
  const db = drizzle({ connection: { url: server.url, pool: { max: 1 } } })
  await db.$client.ready()
  for (let i = 0; i < 5; i++) {
    await expect(db.execute(sql`select nothing`)).rejects.toMatchObject({ cause: { code: '42703' } })
  }
  expect(db.$client.snapshot().stats).toMatchObject({ opened: 1, closed: 0 })
  await db.$client.end()
})

test('given db used inside of a transaction on the last connection, then the deadlock is reported', async () => {
  const events: PoolEvent['type'][] = []
  const connection = { url: server.url, max: 1, onEvent: ({ type }: PoolEvent) => events.push(type) }
  const db = drizzle({ connection: { ...connection, pool: { acquireTimeoutMillis: 2_500 } }, watchDeadlocks: true })
  await db.$client.ready()
  const stuck = db.transaction(() => db.select().from(account)).catch((error: Error) => error)
  await expect.poll(() => events, { timeout: 2_400 }).toContain('deadlock')
  const { cause } = (await stuck) as Error
  expect(cause).toMatchObject({
    message: expect.stringContaining('Every holder of a connection waits for another one'),
  })
  expect(await db.select().from(account)).toHaveLength(10)
  await db.$client.end()
})
