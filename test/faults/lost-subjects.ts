import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'

/** A pool under test, on any driver. */
export interface Subject {
  query(text: string): Promise<readonly object[]>
  /** Runs both on one connection. */
  inTransaction(first: string, between: () => void, second: string): Promise<unknown>
  open(): number
  end(): Promise<void>
}

export const SUBJECTS: Readonly<Record<string, (url: string, max: number) => Subject>> = {
  pg(url, max) {
    const pool = new GuardedPool({ url, max, onEvent: () => {} })
    pool.on('error', () => {})
    return {
      query: async (text) => (await pool.query(text)).rows,
      async inTransaction(first, between, second) {
        const client = await pool.connect()
        client.on('error', () => {})
        try {
          await client.query('begin')
          await client.query(first)
          between()
          return await client.query(second)
        } finally {
          client.release()
        }
      },
      open: () => pool.totalCount,
      end: () => pool.end(),
    }
  },
  'postgres.js'(url, max) {
    const sql = guardPostgres(url, { max, onEvent: () => {}, onnotice: () => {} })
    return {
      query: async (text) => await sql.unsafe(text),
      inTransaction: (first, between, second) =>
        sql.begin(async (transaction) => {
          await transaction.unsafe(first)
          between()
          return await transaction.unsafe(second)
        }),
      open: () => sql.counts.total,
      end: () => sql.end(),
    }
  },
}
