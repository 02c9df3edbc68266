import { runInScope, scopesAreFree } from '@poolguard/core'
import {
  type GuardedPool,
  type GuardedPoolConfig,
  guardPoolClass,
  holdGuardedPool,
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
  ({ readonly connection: string | GuardedPoolConfig } | { readonly client: GuardedPool }) & {
    /**
     * Whether the pool is told which callers are inside a transaction, so that it can report a deadlock: `db` used where
     * `tx` should be, on the last connection. Default: from Node 24 on; below, it makes every await of the process dearer.
     */
    readonly watchDeadlocks?: boolean
  }

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
  if (typeof urlOrConfig !== 'object')
    return make({ ...(config as DrizzleConfig<TSchema>), connection: { url: urlOrConfig } })
  return make(urlOrConfig)
}

function make<TSchema extends Schema>(config: GuardedDrizzleConfig<TSchema>): GuardedDatabase<TSchema> {
  const {
    watchDeadlocks = scopesAreFree,
    connection,
    client,
    ...rest
  } = config as DrizzleConfig<TSchema> & {
    connection?: string | GuardedPoolConfig
    client?: GuardedPool
    watchDeadlocks?: boolean
  }
  const pool = client ?? makePool(typeof connection === 'string' ? { url: connection } : (connection ?? {}))
  // Always by `client`: the form with the pool as first argument makes a second one in Drizzle 1.0.
  const db = plainDrizzle<TSchema, GuardedPool>({ ...(rest as DrizzleConfig<TSchema>), client: pool })
  if (watchDeadlocks) openScopes(db)
  return db
}

/** Each transaction runs in a scope of its own. */
function openScopes<TSchema extends Schema>(db: NodePgDatabase<TSchema>): void {
  const transaction = db.transaction.bind(db)
  db.transaction = (...work) => runInScope(() => transaction(...work))
}

/**
 * Drizzle takes a pool for one only if it is `instanceof` the Pool of the pg that it imports itself (or, from 0.45.1 on, by
 * its name), and else splits a transaction over several connections. A database that is never used shows which that is; it
 * opens no connection.
 */
function makePool(config: GuardedPoolConfig): GuardedPool {
  const unused = plainDrizzle('postgresql://localhost')
  return holdGuardedPool(guardPoolClass(unused.$client.constructor as PoolClass), config).pool
}
