/**
 * Drizzle on a guarded pool of pg.
 *
 * @module @poolguard/drizzle/node-postgres
 */
import {
  type GuardedPool,
  type GuardedPoolConfig,
  guardPoolClass,
  joinReplicas,
  type PoolClass,
  sharedGuardedPool,
} from '@poolguard/pg'
import { type NodePgClient, type NodePgDatabase, drizzle as plainDrizzle } from 'drizzle-orm/node-postgres'
import { makeGuardedDatabase, type ScopeOptions } from './guarded-database.ts'
import type { Model, ModelConfig, NoModel } from './model.ts'
import { releaseFailedTransactions } from './release-failed-transactions.ts'
import { makeWithReplicas, type WithReplicas } from './replicas.ts'

export * from 'drizzle-orm/node-postgres'
export type { ReplicaChoice, WithReplicas } from './replicas.ts'

/**
 * Drizzle's own `withReplicas` on guarded pools: a read goes to the replica with the fewest waiters, then to the one with the smallest share of its
 * connections in use; Drizzle chooses at random. A replica that cannot be used, or lacks the caller's writes, is replaced by another one or by
 * the primary. Each database has its own pool.
 *
 * @throws {InvalidOptionError} for an invalid option.
 * @example
 * const db = withReplicas(drizzle(process.env.DATABASE_URL!), [drizzle(process.env.REPLICA_URL!)], { maxReplicaLagMillis: 1_000 })
 */
export const withReplicas: WithReplicas = makeWithReplicas(joinReplicas)

/** The result of Drizzle's own `drizzle`, with the guarded pool as `$client`. */
export type GuardedDatabase<TModel extends Model = NoModel> = NodePgDatabase<TModel> & { $client: GuardedPool }

/** Drizzle's configuration, with the connection as a URL or as the options of {@link GuardedPool}. */
export type GuardedDrizzleConfig<TModel extends Model = NoModel> = ModelConfig<TModel> &
  ({ readonly connection: string | GuardedPoolConfig } | { readonly client: GuardedPool }) &
  ScopeOptions

/**
 * Drizzle's own `drizzle` on a guarded pool: in `db.ts` only the import changes. With a `name` in the connection's options, all
 * reloads of the module share one pool.
 *
 * @throws {ConnectionStringError} for a bad URL, InvalidOptionError for an invalid option.
 * @example
 * import { drizzle } from '@poolguard/drizzle/node-postgres'
 *
 * export const db = drizzle(process.env.DATABASE_URL!, { schema })
 * // or shared by 6 processes, and kept across hot reloads:
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
/** Passes the app's own client or pool to Drizzle unchanged. */
export function drizzle<TModel extends Model = NoModel, TClient extends NodePgClient = NodePgClient>(
  client: TClient,
  config?: ModelConfig<TModel>,
): NodePgDatabase<TModel> & { $client: TClient }
export function drizzle(urlOrConfig: string | object, config?: object): unknown {
  return makeGuardedDatabase(
    { drizzle: plainDrizzle, connect: makePool, fix: releaseFailedTransactions },
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
 * Drizzle recognises a pool only if it is `instanceof` the Pool of Drizzle's copy of pg (or, from 0.45.1 on, by its name), and
 * otherwise splits a transaction over several connections. An unused database reveals that copy of pg without opening a connection.
 */
function makePool(config: GuardedPoolConfig): GuardedPool {
  const unused = plainDrizzle('postgresql://localhost')
  return sharedGuardedPool(guardPoolClass(unused.$client.constructor as PoolClass), config).pool
}
