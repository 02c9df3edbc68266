import { drizzle as drizzlePg } from '@poolguard/drizzle/node-postgres'
import { drizzle as drizzlePostgresJs } from '@poolguard/drizzle/postgres-js'
import { PrismaPg } from '@poolguard/prisma'
import { guardDataSource } from '@poolguard/typeorm'
import { sql } from 'drizzle-orm'
import { DataSource } from 'typeorm'
import { PrismaClient } from '#prisma-client'

export interface AppOptions {
  readonly url: string
  readonly max: number
  readonly acquireTimeoutMillis: number
}

/** What the faults ask of an ORM, whichever it is. */
export interface App extends AsyncDisposable {
  /** Runs a statement. */
  run(text: string): Promise<unknown>
  /** Runs two statements in a transaction, and something in between. */
  transact(first: string, between: () => Promise<unknown>, second: string): Promise<unknown>
}

/** An app of each ORM, as its adapter's README has it. */
export const apps: readonly { readonly orm: string; open(options: AppOptions): Promise<App> }[] = [
  {
    orm: 'Prisma',
    async open({ url, max, acquireTimeoutMillis }) {
      const adapter = new PrismaPg({ url, name: 'prisma', pool: { max, acquireTimeoutMillis } })
      const prisma = new PrismaClient({
        adapter,
        transactionOptions: { maxWait: acquireTimeoutMillis, timeout: 20_000 },
      })
      return {
        run: (text) => prisma.$executeRawUnsafe(text),
        transact: (first, between, second) =>
          prisma.$transaction(async (tx) => {
            await tx.$executeRawUnsafe(first)
            await between()
            await tx.$executeRawUnsafe(second)
          }),
        [Symbol.asyncDispose]: () => prisma.$disconnect(),
      }
    },
  },
  ...[drizzlePg, drizzlePostgresJs as unknown as typeof drizzlePg].map((drizzle, i) => ({
    orm: i === 0 ? 'Drizzle over node-postgres' : 'Drizzle over postgres.js',
    async open({ url, max, acquireTimeoutMillis }: AppOptions): Promise<App> {
      const db = drizzle({ connection: { url, name: `drizzle ${i}`, pool: { max, acquireTimeoutMillis } } })
      return {
        run: (text) => db.execute(sql.raw(text)),
        transact: (first, between, second) =>
          db.transaction(async (tx) => {
            await tx.execute(sql.raw(first))
            await between()
            await tx.execute(sql.raw(second))
          }),
        [Symbol.asyncDispose]: () => db.$client.end(),
      }
    },
  })),
  {
    orm: 'TypeORM',
    async open({ url, max, acquireTimeoutMillis }) {
      const options = guardDataSource(
        { type: 'postgres', url },
        { name: 'typeorm', pool: { max, acquireTimeoutMillis } },
      )
      const source = await new DataSource(options).initialize()
      return {
        run: (text) => source.query(text),
        transact: (first, between, second) =>
          source.transaction(async (manager) => {
            await manager.query(first)
            await between()
            await manager.query(second)
          }),
        [Symbol.asyncDispose]: () => source.destroy(),
      }
    },
  },
]
