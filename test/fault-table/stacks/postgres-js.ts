import type postgres from 'postgres'
import { MAX_CONNECTIONS, READ, rowOf, type Stack, type StackApp } from '../stack.ts'

function appOnSql(sql: postgres.Sql): StackApp {
  return {
    write: (id) => sql.unsafe(rowOf(id, 'only')),
    writeTwice: (id, between) =>
      sql.begin(async (tx) => {
        await tx.unsafe(rowOf(id, 'first'))
        await between()
        await tx.unsafe(rowOf(id, 'second'))
      }),
    read: () => sql.unsafe(READ),
    run: (text) => sql.unsafe(text),
    async borrow() {
      const reserved = await sql.reserve()
      return { run: (text) => reserved.unsafe(text), release: () => reserved.release() }
    },
    close: () => sql.end({ timeout: 5 }),
  }
}

export const postgresJs: Stack = {
  name: 'postgres.js',
  packages: ['postgres'],
  async open(url) {
    const { default: postgres } = await import('postgres')
    return appOnSql(postgres(url, { max: MAX_CONNECTIONS, onnotice: () => {} }))
  },
}

export const guardedPostgresJs: Stack = {
  name: 'poolguard: postgres.js',
  packages: ['postgres'],
  async open(url) {
    const { guardPostgres } = await import('@poolguard/postgres-js')
    const sql = guardPostgres(url, { pool: { max: MAX_CONNECTIONS }, onnotice: () => {} })
    return appOnSql(sql as unknown as postgres.Sql)
  },
}
