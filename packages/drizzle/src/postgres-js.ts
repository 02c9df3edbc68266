/**
 * Drizzle on a guarded postgres.js.
 *
 * @module @poolguard/drizzle/postgres-js
 */
import { type GuardedOptions, type GuardedSql, joinReplicas, sharedGuardedSql } from '@poolguard/postgres-js'
import { type PostgresJsDatabase, drizzle as plainDrizzle } from 'drizzle-orm/postgres-js'
import type { Sql } from 'postgres'
import { makeGuardedDatabase, type ScopeOptions } from './guarded-database.ts'
import type { Model, ModelConfig, NoModel } from './model.ts'
import { makeWithReplicas, type WithReplicas } from './replicas.ts'

export * from 'drizzle-orm/postgres-js'
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

/** The result of Drizzle's own `drizzle`, with the guarded `sql` as `$client`. */
export type GuardedDatabase<TModel extends Model = NoModel> = PostgresJsDatabase<TModel> & { $client: GuardedSql }

/** Drizzle's configuration, with the connection as a URL or as the options of `guardPostgres`. */
export type GuardedDrizzleConfig<TModel extends Model = NoModel> = ModelConfig<TModel> &
  ({ readonly connection: string | GuardedOptions } | { readonly client: GuardedSql }) &
  ScopeOptions

/**
 * Drizzle's own `drizzle` for postgres.js, on a guarded `sql`: in `db.ts` only the import changes. With a `name` in the connection's
 * options, all reloads of the module share one `sql`.
 *
 * @throws {ConnectionStringError} for a bad URL, InvalidOptionError for an invalid option.
 * @example
 * import { drizzle } from '@poolguard/drizzle/postgres-js'
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
export function drizzle<TModel extends Model = NoModel, TClient extends Sql = Sql>(
  config: ModelConfig<TModel> & { readonly client: TClient } & ScopeOptions,
): PostgresJsDatabase<TModel> & { $client: TClient }
/** Passes the app's own `sql` to Drizzle unchanged. */
export function drizzle<TModel extends Model = NoModel, TClient extends Sql = Sql>(
  client: TClient,
  config?: ModelConfig<TModel>,
): PostgresJsDatabase<TModel> & { $client: TClient }
export function drizzle(urlOrConfig: string | object, config?: object): unknown {
  return makeGuardedDatabase({ drizzle: drizzleOn, connect }, urlOrConfig, config)
}

export declare namespace drizzle {
  /** Drizzle's own: a database without a client. */
  const mock: typeof plainDrizzle.mock
}
Object.assign(drizzle, { mock: plainDrizzle.mock })

/** Sets `$client` to the given client, not to the proxy that Drizzle uses. */
function drizzleOn({ client, ...config }: { client: GuardedSql }): GuardedDatabase {
  // A client that is not guarded decides itself what to prepare.
  if (!('snapshot' in client)) return plainDrizzle({ ...config, client: client as never }) as GuardedDatabase
  return Object.assign(plainDrizzle({ ...config, client: letPoolPrepare(client) }), { $client: client })
}

function connect(options: GuardedOptions): GuardedSql {
  return sharedGuardedSql(options).pool
}

type Unsafe = GuardedSql['unsafe']

/**
 * The client that Drizzle uses. Drizzle passes `prepare: false` with every query without a name (drizzle-orm 0.4x,
 * postgres-js/session.js); the proxy removes it, so that the pool can prepare frequent statements.
 */
function letPoolPrepare(client: GuardedSql): GuardedSql {
  const unsafe: Unsafe = (text, values, options) => {
    const { prepare, ...others } = options ?? {}
    return client.unsafe(text, values, prepare === false ? others : options)
  }
  return new Proxy(client, {
    get: (target, name) => (name === 'unsafe' ? unsafe : Reflect.get(target, name)),
  })
}
