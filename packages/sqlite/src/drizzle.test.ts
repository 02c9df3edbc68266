import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { eq, relations, sql } from 'drizzle-orm'
import { blob, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { migrate } from 'drizzle-orm/sqlite-proxy/migrator'
import { describe, expect, test } from 'vitest'
import { drizzle, type GuardedDatabase } from './drizzle.ts'
import { DRIVERS, newDatabase, openPool } from './testing/database-folder.ts'

const users = sqliteTable('users', {
  id: integer().primaryKey(),
  name: text().notNull().unique(),
  active: integer({ mode: 'boolean' }).notNull().default(true),
  since: integer({ mode: 'timestamp' }),
  avatar: blob({ mode: 'buffer' }),
  settings: text({ mode: 'json' }),
})
const orders = sqliteTable('orders', {
  id: integer().primaryKey(),
  userId: integer().notNull(),
  amount: integer().notNull(),
})
const usersRelations = relations(users, ({ many }) => ({ orders: many(orders) }))
const ordersRelations = relations(orders, ({ one }) => ({
  user: one(users, { fields: [orders.userId], references: [users.id] }),
}))
const schema = { users, orders, usersRelations, ordersRelations }

const TABLES = `
  CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, active INTEGER NOT NULL DEFAULT 1, since INTEGER, avatar BLOB, settings TEXT);
  CREATE TABLE orders (id INTEGER PRIMARY KEY, userId INTEGER NOT NULL REFERENCES users, amount INTEGER NOT NULL);`

async function openDatabase(options: Parameters<typeof openPool>[0] = {}): Promise<GuardedDatabase<typeof schema>> {
  const client = openPool(options)
  await client.exec(TABLES)
  return drizzle({ client, schema })
}

describe.each(DRIVERS)('Drizzle on %s', (driver) => {
  test('writes and reads every kind of column', async () => {
    const db = await openDatabase({ driver })
    const user = {
      ...{ id: 1, name: 'Ada', active: false, since: new Date(1_700_000_000_000) },
      ...{ avatar: Buffer.from('png'), settings: { theme: 'dark' } },
    }
    expect(await db.insert(users).values(user).returning()).toEqual([user])
    expect(await db.select().from(users)).toEqual([user])
    expect(await db.select().from(users).where(eq(users.name, 'nobody')).get()).toBeUndefined()
    expect(await db.select({ name: users.name }).from(users).get()).toEqual({ name: 'Ada' })
    expect(await db.update(users).set({ name: 'Ada L.' }).where(eq(users.id, 1))).toMatchObject({ changes: 1 })
    expect(await db.values(sql`select name, id from users`)).toEqual([['Ada L.', 1]])
    await db.delete(users)
    expect(await db.$count(users)).toBe(0)
  })

  test('joins tables with equal column names, and follows relations', async () => {
    const db = await openDatabase({ driver })
    await db.insert(users).values({ id: 7, name: 'Ada' })
    await db.insert(orders).values([
      { id: 1, userId: 7, amount: 10 },
      { id: 2, userId: 7, amount: 20 },
    ])
    const joined = await db.select().from(orders).innerJoin(users, eq(users.id, orders.userId)).where(eq(orders.id, 2))
    expect(joined).toMatchObject([{ orders: { id: 2 }, users: { id: 7, name: 'Ada' } }])
    expect(await db.query.users.findFirst({ with: { orders: true } })).toMatchObject({
      name: 'Ada',
      orders: [{ amount: 10 }, { amount: 20 }],
    })
  })

  test('runs transactions one after the other, each on the writer from begin to commit', async () => {
    const db = await openDatabase({ driver })
    await db.insert(users).values({ id: 1, name: 'Ada' })
    await db.insert(orders).values({ id: 1, userId: 1, amount: 0 })
    const steps: string[] = []
    const increment = (who: string) =>
      db.transaction(async (tx) => {
        steps.push(`${who} begins`)
        const order = await tx.select().from(orders).get()
        await new Promise(setImmediate)
        await tx.update(orders).set({ amount: (order?.amount ?? 0) + 1 })
        steps.push(`${who} ends`)
      })
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map(increment))
    expect(steps).toEqual(['a', 'b', 'c', 'd', 'e'].flatMap((who) => [`${who} begins`, `${who} ends`]))
    expect(await db.select({ amount: orders.amount }).from(orders).get()).toEqual({ amount: 5 })
  })

  test('does not include statements outside a transaction in it', async () => {
    const db = await openDatabase({ driver })
    const failing = db.transaction(async (tx) => {
      await tx.insert(users).values({ name: 'in the transaction' })
      expect(await tx.$count(users)).toBe(1)
      expect(await db.$count(users)).toBe(0)
      outside = db
        .insert(users)
        .values({ name: 'outside it' })
        .then(() => 'written')
      throw new Error('of the work')
    })
    let outside: Promise<string> | undefined
    await expect(failing).rejects.toThrow('of the work')
    expect(await outside).toBe('written')
    expect(await db.select({ name: users.name }).from(users)).toEqual([{ name: 'outside it' }])
  })

  test('rolls back on errors, on request, and inner transactions on their own', async () => {
    const db = await openDatabase({ driver })
    const byHand = db.transaction(async (tx) => {
      await tx.insert(users).values({ name: 'a' })
      tx.rollback()
    })
    await expect(byHand).rejects.toThrow('Rollback')
    await db.transaction(async (tx) => {
      await tx.insert(users).values({ name: 'b' })
      const inner = tx.transaction(async (nested) => {
        await nested.insert(users).values({ name: 'c' })
        await nested.insert(users).values({ name: 'b' })
      })
      await expect(inner).rejects.toThrow()
      expect(await tx.query.users.findMany()).toHaveLength(1)
    })
    expect(await db.select({ name: users.name }).from(users)).toEqual([{ name: 'b' }])
  })

  test('keeps the writes of an inner transaction when a concurrent one fails', async () => {
    const db = await openDatabase({ driver })
    await db.transaction(async (tx) => {
      const failing = tx.transaction(async (nested) => {
        await nested.insert(users).values({ name: 'a' })
        throw new Error('of the inner one')
      })
      const passing = tx.transaction(async (nested) => {
        await nested.insert(users).values({ name: 'b' })
        await nested.transaction((innermost) => innermost.insert(users).values({ name: 'c' }))
      })
      await expect(failing).rejects.toThrow('of the inner one')
      await passing
    })
    expect(await db.select({ name: users.name }).from(users)).toEqual([{ name: 'b' }, { name: 'c' }])
  })

  test('rejects BEGIN as a statement, because COMMIT could run on another connection', async () => {
    const db = await openDatabase({ driver })
    const begin = db.run(sql`begin`)
    await expect(begin).rejects.toSatisfy((error: Error & { cause?: Error }) =>
      /use transaction\(\)/.test(`${error.message} ${error.cause?.message}`),
    )
  })

  test('runs a batch all or nothing', async () => {
    const db = await openDatabase({ driver })
    const [added, all, one] = await db.batch([
      db.insert(users).values({ id: 1, name: 'a' }).returning(),
      db.query.users.findMany({ columns: { name: true } }),
      db.select({ id: users.id }).from(users).where(eq(users.id, 1)),
    ])
    expect([added[0]?.name, all, one]).toEqual(['a', [{ name: 'a' }], [{ id: 1 }]])
    const failing = db.batch([
      db.insert(users).values({ id: 2, name: 'b' }),
      db.insert(users).values({ id: 3, name: 'a' }),
    ])
    await expect(failing).rejects.toThrow()
    expect(await db.$count(users)).toBe(1)
  })
})

test('migrations run as one script, all or nothing', async () => {
  const db = drizzle({ client: openPool(), schema })
  const folder = path.join(path.dirname(newDatabase()), 'migrations')
  const writeMigrations = (...texts: string[]) => {
    mkdirSync(path.join(folder, 'meta'), { recursive: true })
    const entries = texts.map((text, idx) => {
      writeFileSync(path.join(folder, `${idx}.sql`), text)
      return { idx, version: '6', when: 1_700_000_000_000 + idx, tag: String(idx), breakpoints: true }
    })
    writeFileSync(path.join(folder, 'meta/_journal.json'), JSON.stringify({ entries }))
  }
  const run = (queries: string[]) => db.$client.exec(['begin', ...queries, 'commit'].join(';\n'))
  const applied = async () => (await db.values<[number]>(sql`select count(*) from __drizzle_migrations`))[0]?.[0]

  const first = TABLES.trim().split('\n').join('\n--> statement-breakpoint\n')
  writeMigrations(first)
  await migrate(db, run, { migrationsFolder: folder })
  await db.insert(users).values({ name: 'Ada' })
  writeMigrations(first, "UPDATE users SET name = 'stranger';\n--> statement-breakpoint\nUPDATE nowhere SET a = 1;")
  await expect(migrate(db, run, { migrationsFolder: folder })).rejects.toThrow('no such table: nowhere')
  expect(await db.select({ name: users.name }).from(users)).toEqual([{ name: 'Ada' }])
  expect(await applied()).toBe(1)
  writeMigrations(first, 'ALTER TABLE users ADD COLUMN email TEXT')
  await migrate(db, run, { migrationsFolder: folder })
  expect(await applied()).toBe(2)
})

test('given only a path, then the pool is the database’s $client', async () => {
  const db = drizzle(newDatabase(), { schema })
  await db.$client.exec(TABLES)
  expect(await db.query.users.findMany()).toEqual([])
  await db.$client.close()
})

test('given a name, then all loads of a module share one pool', async () => {
  const connection = { file: newDatabase(), name: 'hot' }
  const db = drizzle({ connection })
  expect(drizzle({ connection: { ...connection } }).$client).toBe(db.$client)
  await db.$client.close()
})

test('given an environment variable that is not set, then the error says so', () => {
  expect(() => drizzle(undefined as unknown as string)).toThrow('Is its environment variable set?')
  expect(() => drizzle({} as never)).toThrow('Is its environment variable set?')
  expect(() => drizzle({ connection: { file: undefined as unknown as string } })).toThrow('Invalid option file')
})

test('given a connection instead of a pool, then it throws immediately', () => {
  expect(() => drizzle({ client: { prepare: () => {} } as never })).toThrow(
    "It takes a SqlitePool; or pass only the path, as in drizzle('app.db').",
  )
})
