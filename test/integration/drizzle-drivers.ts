import { drizzle as onNodePostgres } from '@poolguard/drizzle/node-postgres'
import { drizzle as onPostgresJs } from '@poolguard/drizzle/postgres-js'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'

export const account = pgTable('account', {
  id: integer().primaryKey(),
  owner: text().notNull(),
  balance: integer().notNull(),
})

/** Both entries, under the type of the first: what is used of them in tests they have alike. */
export const drivers = [
  { driver: 'node-postgres', drizzle: onNodePostgres },
  { driver: 'postgres-js', drizzle: onPostgresJs as unknown as typeof onNodePostgres },
] as const

/** From 0.44 on Drizzle wraps what the driver throws, in queries and not everywhere else. */
export function driversError(error: unknown): unknown {
  return error instanceof Error && error.constructor.name === 'DrizzleQueryError' ? error.cause : error
}
