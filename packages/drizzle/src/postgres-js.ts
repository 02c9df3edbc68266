/**
 * Drizzle on a guarded postgres.js.
 *
 * @module @poolguard/drizzle/postgres-js
 */
import { type GuardedOptions, type GuardedSql, sharedGuardedSql } from '@poolguard/postgres-js'
import { type PostgresJsDatabase, drizzle as plainDrizzle } from 'drizzle-orm/postgres-js'
import type { Sql } from 'postgres'
import { makeGuardedDatabase, type ScopeOptions } from './guarded-database.ts'
import type { Model, ModelConfig, NoModel } from './model.ts'

export * from 'drizzle-orm/postgres-js'
export { withReplicas } from './replicas.ts'

/** What Drizzle's own `drizzle` returns, with the guarded `sql` as its `$client`. */
export type GuardedDatabase<TModel extends Model = NoModel> = PostgresJsDatabase<TModel> & { $client: GuardedSql }

/** Drizzle's configuration, with the connection told as a URL, or as all that `guardPostgres` takes. */
export type GuardedDrizzleConfig<TModel extends Model = NoModel> = ModelConfig<TModel> &
  ({ readonly connection: string | GuardedOptions } | { readonly client: GuardedSql }) &
  ScopeOptions

/**
 * Drizzle's own `drizzle` for postgres.js, on a guarded `sql`: in `db.ts` only the import changes. With a `name` in the
 * connection's options it is the same however often the module is loaded.
 *
 * @throws {ConnectionStringError} for a bad URL, InvalidOptionError for an option that cannot be meant.
 * @example
 * import { drizzle } from '@poolguard/drizzle/postgres-js'
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
export function drizzle<TModel extends Model = NoModel, TClient extends Sql = Sql>(
  config: ModelConfig<TModel> & { readonly client: TClient } & ScopeOptions,
): PostgresJsDatabase<TModel> & { $client: TClient }
/** A `sql` of the app's own is used as it is. */
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

/** Its `$client` is the one that was given. */
function drizzleOn({ client, ...config }: { client: GuardedSql }): GuardedDatabase {
  // One that is not guarded prepares by rules of its own.
  if (!('snapshot' in client)) return plainDrizzle({ ...config, client: client as never }) as GuardedDatabase
  return Object.assign(plainDrizzle({ ...config, client: letPoolPrepare(client) }), { $client: client })
}

function connect(options: GuardedOptions): GuardedSql {
  return sharedGuardedSql(options).pool
}

type Unsafe = GuardedSql['unsafe']

/**
 * The client as Drizzle gets it. Drizzle says of every query without a name that it is not to be prepared (drizzle-orm 0.4x,
 * postgres-js/session.js); taken out, that is for the pool to decide, which prepares what comes often enough.
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
