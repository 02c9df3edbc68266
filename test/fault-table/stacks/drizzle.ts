import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import { MAX_CONNECTIONS, READ, rowOf, type Stack, type StackApp } from '../stack.ts'

type Database = Pick<NodePgDatabase, 'execute' | 'transaction'>

async function appOnDrizzle(db: Database, close: () => Promise<unknown>): Promise<StackApp> {
  const { sql } = await import('drizzle-orm')
  return {
    write: (id) => db.execute(sql.raw(rowOf(id, 'only'))),
    writeTwice: (id, between) =>
      db.transaction(async (tx) => {
        await tx.execute(sql.raw(rowOf(id, 'first')))
        await between()
        await tx.execute(sql.raw(rowOf(id, 'second')))
      }),
    read: () => db.execute(sql.raw(READ)),
    run: (text) => db.execute(sql.raw(text)),
    borrow: undefined,
    close,
  }
}

export const drizzle: Stack = {
  name: 'Drizzle',
  packages: ['drizzle-orm', 'pg'],
  async open(connectionString) {
    const { drizzle } = await import('drizzle-orm/node-postgres')
    const db = drizzle({ connection: { connectionString, max: MAX_CONNECTIONS } })
    return appOnDrizzle(db, () => db.$client.end())
  },
}

export const guardedDrizzle: Stack = {
  name: 'poolguard: Drizzle',
  packages: ['drizzle-orm', 'pg'],
  async open(url) {
    const { drizzle } = await import('@poolguard/drizzle/node-postgres')
    const db = drizzle({ connection: { url, pool: { max: MAX_CONNECTIONS } } })
    return appOnDrizzle(db as unknown as Database, () => db.$client.end())
  },
}

export const guardedDrizzlePostgresJs: Stack = {
  name: 'poolguard: Drizzle on postgres.js',
  packages: ['drizzle-orm', 'postgres'],
  async open(url) {
    const { drizzle } = await import('@poolguard/drizzle/postgres-js')
    const db = drizzle({ connection: { url, pool: { max: MAX_CONNECTIONS } } })
    return appOnDrizzle(db as unknown as Database, () => db.$client.end())
  },
}
