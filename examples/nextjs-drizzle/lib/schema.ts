import { bigint, pgTable, text, timestamp } from 'drizzle-orm/pg-core'

export const note = pgTable('note', {
  id: bigint({ mode: 'number' }).generatedAlwaysAsIdentity().primaryKey(),
  text: text().notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).defaultNow().notNull(),
})
