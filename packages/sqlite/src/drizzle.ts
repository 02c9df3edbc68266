/**
 * Drizzle on a pool of SQLite connections.
 *
 * @module @poolguard/sqlite/drizzle
 */
import { InvalidOptionError } from '@poolguard/core/adapter'
import type { DrizzleConfig } from 'drizzle-orm'
import { drizzle as plainDrizzle, SQLiteProxyTransaction, type SqliteRemoteDatabase } from 'drizzle-orm/sqlite-proxy'
import type { SqliteValue } from './protocol.ts'
import { sharedSqlitePool } from './shared-sqlite-pool.ts'
import type { SqliteOptions } from './sqlite-options.ts'
import type { SqlitePool } from './sqlite-pool.ts'
import type { SqliteTransaction } from './transactions/sqlite-transaction.ts'

type Model = Record<string, unknown>
type NoModel = Record<string, never>

/** Drizzle's database of `sqlite-proxy`, with the pool as `$client`. */
export type GuardedDatabase<TModel extends Model = NoModel> = SqliteRemoteDatabase<TModel> & { $client: SqlitePool }

/** Drizzle's configuration, with the connection as a path or as the options of {@link SqlitePool}. */
export type GuardedDrizzleConfig<TModel extends Model = NoModel> = DrizzleConfig<TModel> &
  ({ readonly connection: string | URL | SqliteOptions } | { readonly client: SqlitePool })

/**
 * Drizzle on a SQLite pool. `db.transaction` holds the writer from begin to commit, so transactions run one after the other; run
 * its statements through `tx`. With a `name` in the connection's options, all reloads of the module share one pool.
 *
 * @throws {InvalidOptionError} for an invalid option.
 * @example
 * import { drizzle } from '@poolguard/sqlite/drizzle'
 *
 * export const db = drizzle('app.db', { schema })
 * // or kept across hot reloads:
 * export const kept = drizzle({ connection: { file: 'app.db', name: 'app' }, schema })
 */
export function drizzle<TModel extends Model = NoModel>(
  file: string | URL,
  config?: DrizzleConfig<TModel>,
): GuardedDatabase<TModel>
export function drizzle<TModel extends Model = NoModel>(config: GuardedDrizzleConfig<TModel>): GuardedDatabase<TModel>
export function drizzle(fileOrConfig: unknown, config: object = {}): unknown {
  const given = isConfig(fileOrConfig) ? fileOrConfig : { ...config, connection: fileOrConfig }
  const { client, connection, ...rest } = given as { client?: SqlitePool; connection?: unknown }
  const pool = client === undefined ? sharedSqlitePool(readConnection(connection)).pool : requirePool(client)
  const db = plainDrizzle(queryThrough(pool), batchThrough(pool), rest)
  runTransactionsOn(db as unknown as Internals, pool)
  return Object.assign(db, { $client: pool })
}

/** Members of Drizzle's database that its types do not declare. */
interface Internals {
  readonly session: ProxySession
  transaction(work: (tx: unknown) => Promise<unknown>): Promise<unknown>
}

interface ProxySession {
  readonly dialect: never
  readonly schema: never
}

/**
 * Drizzle's own `transaction` sends `begin` and `commit` like any other statement, to whichever connection is idle. Its concurrent
 * inner transactions undo each other's work, because their savepoints have the same name.
 */
function runTransactionsOn(db: Internals, executor: Executor): void {
  db.transaction = (work) =>
    executor.transaction((transaction) => {
      const { session } = db
      const pinned = Object.assign(Object.create(session), {
        client: queryThrough(transaction),
        // Drizzle's spelling.
        batchCLient: batchThrough(transaction),
      })
      const tx = new SQLiteProxyTransaction('async', session.dialect, pinned, session.schema)
      runTransactionsOn(tx as unknown as Internals, transaction)
      return work(tx)
    })
}

type Method = 'run' | 'all' | 'values' | 'get'
type Executor = SqlitePool | SqliteTransaction

function queryThrough(executor: Executor) {
  return async (sql: string, parameters: unknown[], method: Method) => {
    const result = await executor.query(sql, parameters as SqliteValue[], { rowMode: 'array' })
    // For `get`, Drizzle expects one row, or undefined for none; its types do not say so.
    return { ...result, rows: method === 'get' ? (result.rows[0] as unknown as unknown[]) : result.rows }
  }
}

/** Runs a batch in one transaction, all or nothing. */
function batchThrough(executor: Executor) {
  return (batch: { sql: string; params: unknown[]; method: Method }[]) =>
    executor.transaction((transaction) => {
      const answer = queryThrough(transaction)
      return Promise.all(batch.map(({ sql, params, method }) => answer(sql, params, method)))
    })
}

function isConfig(given: unknown): given is object {
  return typeof given === 'object' && given !== null && !(given instanceof URL)
}

/** Rejects a connection of better-sqlite3, which Drizzle's own `drizzle` accepts. */
function requirePool(client: SqlitePool): SqlitePool {
  if (typeof client?.query === 'function') return client
  throw new InvalidOptionError('client', client, "a SqlitePool; or pass only the path, as in drizzle('app.db')")
}

function readConnection(connection: unknown): SqliteOptions {
  if (isConfig(connection)) return connection as SqliteOptions
  if (connection !== undefined) return { file: connection as string | URL }
  throw new InvalidOptionError(
    'connection',
    connection,
    'a path or options; or pass { client } with a SqlitePool. Is its environment variable set?',
  )
}
