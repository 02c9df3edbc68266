import { drizzle as guardedNodePostgres } from '@poolguard/drizzle/node-postgres'
import { drizzle as guardedPostgresJs } from '@poolguard/drizzle/postgres-js'
import { sql } from 'drizzle-orm'
import { drizzle as nodePostgres } from 'drizzle-orm/node-postgres'
import { MAX_CONNECTIONS, READ, rowOf, type Stack, type StackApp } from '../stack.ts'

type Database = Pick<ReturnType<typeof nodePostgres>, 'execute' | 'transaction'>

function appOnDrizzle(db: Database, close: () => Promise<unknown>): StackApp {
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
    const db = nodePostgres({ connection: { connectionString, max: MAX_CONNECTIONS } })
    return appOnDrizzle(db, () => db.$client.end())
  },
}

export const guardedDrizzle: Stack = {
  name: 'poolguard: Drizzle',
  packages: ['drizzle-orm', 'pg'],
  async open(url) {
    const db = guardedNodePostgres({ connection: { url, pool: { max: MAX_CONNECTIONS } } })
    return appOnDrizzle(db as unknown as Database, () => db.$client.end())
  },
}

export const guardedDrizzlePostgresJs: Stack = {
  name: 'poolguard: Drizzle on postgres.js',
  packages: ['drizzle-orm', 'postgres'],
  async open(url) {
    const db = guardedPostgresJs({ connection: { url, pool: { max: MAX_CONNECTIONS } } })
    return appOnDrizzle(db as unknown as Database, () => db.$client.end())
  },
}
