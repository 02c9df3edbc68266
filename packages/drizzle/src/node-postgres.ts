/**
 * Drizzle on a guarded pool of pg.
 *
 * @module @poolguard/drizzle/node-postgres
 */
import {
  type GuardedPool,
  type GuardedPoolConfig,
  guardPoolClass,
  type PoolClass,
  sharedGuardedPool,
} from '@poolguard/pg'
import { type NodePgClient, type NodePgDatabase, drizzle as plainDrizzle } from 'drizzle-orm/node-postgres'
import { makeGuardedDatabase, type ScopeOptions } from './guarded-database.ts'
import type { Model, ModelConfig, NoModel } from './model.ts'
import { releaseFailedTransactions } from './release-failed-transactions.ts'

export * from 'drizzle-orm/node-postgres'
export { withReplicas } from './replicas.ts'

/** What Drizzle's own `drizzle` returns, with the guarded pool as its `$client`. */
export type GuardedDatabase<TModel extends Model = NoModel> = NodePgDatabase<TModel> & { $client: GuardedPool }

/** Drizzle's configuration, with the connection told as a URL, or as all that {@link GuardedPool} takes. */
export type GuardedDrizzleConfig<TModel extends Model = NoModel> = ModelConfig<TModel> &
  ({ readonly connection: string | GuardedPoolConfig } | { readonly client: GuardedPool }) &
  ScopeOptions

/**
 * Drizzle's own `drizzle` on a guarded pool: in `db.ts` only the import changes. With a `name` in the connection's options
 * the pool is the same however often the module is loaded.
 *
 * @throws {ConnectionStringError} for a bad URL, InvalidOptionError for an option that cannot be meant.
 * @example
 * import { drizzle } from '@poolguard/drizzle/node-postgres'
 *
 * export const db = drizzle(process.env.DATABASE_URL!, { schema })
 * // or, told how many processes share the database, and kept over hot reloads:
 * export const shared = drizzle({ connection: { url: process.env.DATABASE_URL, name: 'orders', instances: 6 }, schema })
 */
export function drizzle<TModel extends Model = NoModel>(
  url: string,
  config?: ModelConfig<TModel>,
): GuardedDatabase<TModel>
export function drizzle<TModel extends Model = NoModel>(config: GuardedDrizzleConfig<TModel>): GuardedDatabase<TModel>
export function drizzle<TModel extends Model = NoModel, TClient extends NodePgClient = NodePgClient>(
  config: ModelConfig<TModel> & { readonly client: TClient } & ScopeOptions,
): NodePgDatabase<TModel> & { $client: TClient }
/** A client or a pool of the app's own is used as it is. */
export function drizzle<TModel extends Model = NoModel, TClient extends NodePgClient = NodePgClient>(
  client: TClient,
  config?: ModelConfig<TModel>,
): NodePgDatabase<TModel> & { $client: TClient }
export function drizzle(urlOrConfig: string | object, config?: object): unknown {
  return makeGuardedDatabase(
    { drizzle: plainDrizzle, connect: makePool, mend: releaseFailedTransactions },
    urlOrConfig,
    config,
  )
}

export declare namespace drizzle {
  /** Drizzle's own: a database without a client. */
  const mock: typeof plainDrizzle.mock
}
Object.assign(drizzle, { mock: plainDrizzle.mock })

/**
 * Drizzle takes a pool for one only if it is `instanceof` the Pool of the pg that it imports itself (or, from 0.45.1 on, by
 * its name), and else splits a transaction over several connections. A database that is never used shows which that is; it
 * opens no connection.
 */
function makePool(config: GuardedPoolConfig): GuardedPool {
  const unused = plainDrizzle('postgresql://localhost')
  return sharedGuardedPool(guardPoolClass(unused.$client.constructor as PoolClass), config).pool
}
