import { drizzle as drizzlePg } from '@poolguard/drizzle/node-postgres'
import { drizzle as drizzlePostgresJs } from '@poolguard/drizzle/postgres-js'
import { PrismaPg } from '@poolguard/prisma'
import { guardDataSource } from '@poolguard/typeorm'
import { PrismaPg as PlainPrismaPg } from '@prisma/adapter-pg'
import { and, count, eq, gte } from 'drizzle-orm'
import { drizzle as plainDrizzlePg } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { drizzle as plainDrizzlePostgresJs } from 'drizzle-orm/postgres-js'
import pg from 'pg'
import postgres from 'postgres'
import { DataSource, type DataSourceOptions, EntitySchema, MoreThanOrEqual } from 'typeorm'
import { PrismaClient } from '../generated/prisma/client.ts'

/** What the load asks an ORM for. */
interface Reads {
  byId(id: number): Promise<unknown>
  page(from: number): Promise<unknown>
  count(balance: number): Promise<unknown>
  close(): Promise<unknown>
}

/** The same ORM with its own pool and with ours, each with its defaults. */
export interface AdapterPair {
  readonly guarded: Reads
  readonly plain: Reads
}

const PAGE = 20

export async function openAdapterPairs(url: string) {
  const all: Record<string, AdapterPair> = {
    prisma: {
      guarded: readsOfPrisma(new PrismaClient({ adapter: new PrismaPg({ url, name: 'prisma' }) })),
      plain: readsOfPrisma(new PrismaClient({ adapter: new PlainPrismaPg(url) })),
    },
    drizzle_pg: {
      guarded: readsOfDrizzle(drizzlePg({ connection: { url, name: 'drizzle pg' } })),
      plain: readsOfDrizzle(plainDrizzlePg({ client: quietPool(url) })),
    },
    drizzle_postgres_js: {
      guarded: readsOfDrizzle(drizzlePostgresJs({ connection: { url, name: 'drizzle postgres.js' } })),
      plain: readsOfDrizzle(plainDrizzlePostgresJs({ client: postgres(url) })),
    },
    typeorm: {
      guarded: await readsOfTypeOrm(guardDataSource({ ...TYPEORM, url }, { name: 'typeorm' })),
      plain: await readsOfTypeOrm({ ...TYPEORM, url }),
    },
  }
  return {
    all,
    async [Symbol.asyncDispose]() {
      await Promise.all(Object.values(all).flatMap(({ guarded, plain }) => [guarded.close(), plain.close()]))
    },
  }
}

/** One that is overtaken by the server's end would end the process. */
function quietPool(connectionString: string): pg.Pool {
  return new pg.Pool({ connectionString }).on('error', () => {})
}

function readsOfPrisma(prisma: PrismaClient): Reads {
  return {
    byId: (id) => prisma.account.findUnique({ where: { id } }),
    page: (from) => prisma.account.findMany({ where: { id: { gte: from } }, orderBy: { id: 'asc' }, take: PAGE }),
    count: (balance) => prisma.account.count({ where: { balance } }),
    close: () => prisma.$disconnect(),
  }
}

const account = pgTable('account', {
  id: integer().primaryKey(),
  owner: text().notNull(),
  balance: integer().notNull(),
})

/** Of either driver: what is used of them is the same. */
type AnyDrizzle = Pick<ReturnType<typeof plainDrizzlePg>, 'select'> & { $client: { end(): Promise<unknown> } }

function readsOfDrizzle(database: unknown): Reads {
  const db = database as AnyDrizzle
  return {
    byId: (id) => db.select().from(account).where(eq(account.id, id)),
    page: (from) => db.select().from(account).where(gte(account.id, from)).orderBy(account.id).limit(PAGE),
    count: (balance) =>
      db
        .select({ n: count() })
        .from(account)
        .where(and(eq(account.balance, balance))),
    close: () => db.$client.end(),
  }
}

interface Account {
  readonly id: number
  readonly owner: string
  readonly balance: number
}

const accounts = new EntitySchema<Account>({
  name: 'account',
  columns: { id: { type: 'int', primary: true }, owner: { type: 'text' }, balance: { type: 'int' } },
})

const TYPEORM = { type: 'postgres' as const, entities: [accounts] }

async function readsOfTypeOrm(options: DataSourceOptions): Promise<Reads> {
  const source = await new DataSource(options).initialize()
  const repository = source.getRepository(accounts)
  return {
    byId: (id) => repository.findOneBy({ id }),
    page: (from) => repository.find({ where: { id: MoreThanOrEqual(from) }, order: { id: 'ASC' }, take: PAGE }),
    count: (balance) => repository.countBy({ balance }),
    close: () => source.destroy(),
  }
}
