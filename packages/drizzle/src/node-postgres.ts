import {
  type GuardedPool,
  type GuardedPoolClass,
  type GuardedPoolConfig,
  guardPoolClass,
  type PoolClass,
} from '@poolguard/pg'
import type { DrizzleConfig } from 'drizzle-orm'
import { type NodePgDatabase, drizzle as plainDrizzle } from 'drizzle-orm/node-postgres'

type Schema = Record<string, unknown>

/** What Drizzle's own `drizzle` returns, with the guarded pool as its `$client`. */
export type GuardedDatabase<TSchema extends Schema = Record<string, never>> = NodePgDatabase<TSchema> & {
  $client: GuardedPool
}

/** Drizzle's configuration, with the connection told as a URL, or as all that {@link GuardedPool} takes. */
export type GuardedDrizzleConfig<TSchema extends Schema = Record<string, never>> = DrizzleConfig<TSchema> &
  ({ readonly connection: string | GuardedPoolConfig } | { readonly client: GuardedPool })

/**
 * Drizzle's own `drizzle`, on a guarded pool: in `db.ts`, only the import changes.
 *
 * @throws {ConnectionStringError} for a bad URL, {@link InvalidOptionError} for an option that cannot be meant. Nothing
 * is connected yet.
 * @example
 * import { drizzle } from '@poolguard/drizzle/node-postgres'
 *
 * export const db = drizzle({ connection: { url: process.env.DATABASE_URL, instances: 6 }, schema })
 */
export function drizzle<TSchema extends Schema = Record<string, never>>(
  url: string,
  config?: DrizzleConfig<TSchema>,
): GuardedDatabase<TSchema>
export function drizzle<TSchema extends Schema = Record<string, never>>(
  config: GuardedDrizzleConfig<TSchema>,
): GuardedDatabase<TSchema>
export function drizzle<TSchema extends Schema>(
  urlOrConfig: string | GuardedDrizzleConfig<TSchema>,
  config?: DrizzleConfig<TSchema>,
): GuardedDatabase<TSchema> {
  // Not `=== 'string'`: an environment variable that is not set gets the error that says so.
  if (typeof urlOrConfig !== 'object') return onPool({ url: urlOrConfig }, config)
  if ('client' in urlOrConfig) return plainDrizzle<TSchema, GuardedPool>(urlOrConfig)
  const { connection, ...rest } = urlOrConfig
  return onPool(typeof connection === 'string' ? { url: connection } : connection, rest as DrizzleConfig<TSchema>)
}

/** Always by `client`: the form with the pool as first argument makes a second one in Drizzle 1.0. */
function onPool<TSchema extends Schema>(
  pool: GuardedPoolConfig,
  config: DrizzleConfig<TSchema> | undefined,
): GuardedDatabase<TSchema> {
  const client = new (guardedPoolOfDrizzle())(pool)
  return plainDrizzle<TSchema, GuardedPool>({ ...config, client } as DrizzleConfig<TSchema> & { client: GuardedPool })
}

/**
 * Drizzle takes a pool for one only if it is `instanceof` the Pool of the pg that it imports itself (or, from 0.45.1 on, by
 * its name), and else splits a transaction over several connections. A database that is never used shows which that is; it
 * opens no connection.
 */
function guardedPoolOfDrizzle(): GuardedPoolClass {
  const unused = plainDrizzle('postgresql://localhost')
  return guardPoolClass(unused.$client.constructor as PoolClass)
}
