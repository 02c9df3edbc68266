import { drizzle } from '@poolguard/drizzle/node-postgres'
import { drizzle as drizzlePostgresJs } from '@poolguard/drizzle/postgres-js'
import { PrismaPg } from '@poolguard/prisma'
import { guardDataSource } from '@poolguard/typeorm'
import { eq, sql } from 'drizzle-orm'
import { DataSource } from 'typeorm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PrismaClient } from '#prisma-client'
import { describeWithPgBouncer, type PostgresServer, startPgBouncer, startPostgres } from '../harness/index.ts'
import { account } from './drizzle-drivers.ts'
import { accounts, makeTables, payments } from './typeorm-model.ts'

/** What the test asks of an ORM. */
interface App {
  ownerOf(id: number): Promise<string | undefined>
  withdraw(id: number, amount: number): Promise<unknown>
  query(text: string): Promise<{ name: string; statement: string }[]>
  close(): Promise<unknown>
}

/** One connection, so that what is prepared on it can be asked for. */
const ONE = { pool: { max: 1 } }

function openDrizzle(url: string): App {
  const db = drizzle({ connection: { url, ...ONE } })
  return {
    ownerOf: async (id) => (await db.select().from(account).where(eq(account.id, id)))[0]?.owner,
    withdraw: (id, amount) =>
      db.transaction((tx) =>
        tx
          .update(account)
          .set({ balance: sql`${account.balance} - ${amount}` })
          .where(eq(account.id, id)),
      ),
    query: async (text) => (await db.execute(sql.raw(text))).rows as never,
    close: () => db.$client.end(),
  }
}

async function openTypeOrm(url: string): Promise<App> {
  const source = new DataSource(guardDataSource({ type: 'postgres', url, entities: [accounts, payments], poolSize: 1 }))
  await source.initialize()
  const repository = source.getRepository(accounts)
  return {
    ownerOf: async (id) => (await repository.findOneBy({ id }))?.owner,
    withdraw: (id, amount) => source.transaction((manager) => manager.decrement(accounts, { id }, 'balance', amount)),
    query: (text) => source.query(text),
    close: () => source.destroy(),
  }
}

function openPrisma(url: string): App {
  const prisma = new PrismaClient({ adapter: new PrismaPg({ url, ...ONE }) })
  return {
    ownerOf: async (id) => (await prisma.account.findUnique({ where: { id } }))?.owner,
    withdraw: (id, amount) =>
      prisma.$transaction([prisma.account.update({ where: { id }, data: { balance: { decrement: amount } } })]),
    query: (text) => prisma.$queryRawUnsafe(text),
    close: () => prisma.$disconnect(),
  }
}

const orms = [
  { orm: 'Drizzle over node-postgres', open: openDrizzle },
  { orm: 'TypeORM', open: openTypeOrm },
  { orm: 'Prisma', open: openPrisma },
]

const PREPARED = `select name, statement from pg_prepared_statements where name like 'poolguard%'`
const PREPARED_BY_POOLER = `select name, statement from pg_prepared_statements where name like 'PGBOUNCER%'`

const describePooler = await describeWithPgBouncer('1.24')
describePooler('given each ORM, as its users write it', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ maxConnections: 20 })
    await makeTables(server)
  })
  afterAll(() => server.stop())

  test('Drizzle over postgres.js: then its reads are prepared, directly and outside of transactions', async () => {
    const db = drizzlePostgresJs({ connection: { url: server.url, ...ONE } })
    for (let run = 0; run < 10; run++) {
      expect(
        await db
          .select()
          .from(account)
          .where(eq(account.id, (run % 10) + 1)),
      ).toHaveLength(1)
      await db.transaction((tx) => tx.update(account).set({ balance: 100 }).where(eq(account.id, 1)))
    }
    const prepared = await db.execute<{ statement: string }>(sql.raw('select statement from pg_prepared_statements'))
    const texts = prepared.map(({ statement }) => statement)
    expect(texts.filter((text) => text.includes('account'))).toEqual([expect.stringMatching(/^select .*"account"/)])
    await db.$client.end()
  })

  test('TypeORM: then a comment keeps one query from it, and an option all of them', async () => {
    for (const [guard, comment] of [
      [{}, 'poolguard: no-prepare'],
      [{ prepareThreshold: null }, 'anything'],
    ] as const) {
      const plain = { type: 'postgres' as const, url: server.url, entities: [accounts, payments], poolSize: 1 }
      const source = await new DataSource(guardDataSource(plain, guard)).initialize()
      const find = () =>
        source.createQueryBuilder(accounts, 'a').where('a.id = :id', { id: 1 }).comment(comment).getOne()
      for (let run = 0; run < 8; run++) expect(await find()).toMatchObject({ id: 1 })
      expect(await source.query(PREPARED)).toEqual([])
      await source.destroy()
    }
  })

  describe.for(orms)('$orm', ({ open }) => {
    test('then its reads and writes are prepared, in transactions, too', async () => {
      const app = await open(server.url)
      for (let run = 0; run < 10; run++) {
        expect(await app.ownerOf((run % 10) + 1)).toBe(`owner ${(run % 10) + 1}`)
        await app.withdraw(1, 1)
      }
      const texts = (await app.query(PREPARED)).map(({ statement }) => statement.toLowerCase())
      expect(texts.filter((text) => text.startsWith('select') && text.includes('account'))).not.toEqual([])
      expect(texts.filter((text) => text.startsWith('update') && text.includes('account'))).not.toEqual([])
      expect(await server.query('select balance from account where id = 1')).toEqual([{ balance: 90 }])
      await server.query('update account set balance = 100')
      await app.close()
    })

    test('then behind PgBouncer in transaction mode each caller gets its own answer', async () => {
      await using pooler = await startPgBouncer({ version: '1.24', poolMode: 'transaction', upstream: server })
      const app = await open(pooler.url)
      for (let round = 0; round < 8; round++) {
        const owners = await Promise.all(Array.from({ length: 20 }, (_, i) => app.ownerOf((i % 10) + 1)))
        expect(owners).toEqual(Array.from({ length: 20 }, (_, i) => `owner ${(i % 10) + 1}`))
      }
      const prepared = await app.query(PREPARED_BY_POOLER)
      expect(prepared.filter(({ statement }) => statement.includes('account'))).not.toEqual([])
      await app.close()
    })
  })
})
