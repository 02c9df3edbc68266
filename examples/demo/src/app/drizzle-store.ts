import { eq, sql } from 'drizzle-orm'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import type { Pool } from 'pg'
import type { Store } from './store.ts'

const account = pgTable('account', {
  id: integer().primaryKey(),
  owner: text().notNull(),
  balance: integer().notNull(),
})

export function drizzleStore(db: NodePgDatabase & { $client: Pool }): Store {
  return {
    async balance(id) {
      const [found] = await db.select({ balance: account.balance }).from(account).where(eq(account.id, id))
      return found?.balance ?? 0
    },
    async transfer(from, to) {
      await db.transaction(async (tx) => {
        await tx
          .update(account)
          .set({ balance: sql`${account.balance} - 1` })
          .where(eq(account.id, from))
        await tx
          .update(account)
          .set({ balance: sql`${account.balance} + 1` })
          .where(eq(account.id, to))
      })
    },
    async total() {
      const [found] = await db
        .select({ total: sql<number>`sum(${account.balance})::int`, slowly: sql`pg_sleep(0.3)` })
        .from(account)
      return found?.total ?? 0
    },
    close: () => db.$client.end(),
  }
}
