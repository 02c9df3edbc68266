/**
 * Drizzle on a pool over SQLite.
 *
 * @module @poolguard/sqlite/drizzle
 */
import { InvalidOptionError } from '@poolguard/core'
import type { DrizzleConfig } from 'drizzle-orm'
import { drizzle as plainDrizzle, SQLiteProxyTransaction, type SqliteRemoteDatabase } from 'drizzle-orm/sqlite-proxy'
import { sharedSqlitePool } from './hold-sqlite-pool.ts'
import type { SqliteValue } from './protocol.ts'
import type { SqliteOptions } from './sqlite-options.ts'
import type { SqlitePool } from './sqlite-pool.ts'
import type { SqliteTransaction } from './transactions/sqlite-transaction.ts'

type Model = Record<string, unknown>
type NoModel = Record<string, never>

/** Drizzle's database for a proxy, with the pool as its `$client`. */
export type GuardedDatabase<TModel extends Model = NoModel> = SqliteRemoteDatabase<TModel> & { $client: SqlitePool }

/** Drizzle's configuration, with the file told as a path, or as all that {@link SqlitePool} takes. */
export type GuardedDrizzleConfig<TModel extends Model = NoModel> = DrizzleConfig<TModel> &
  ({ readonly connection: string | URL | SqliteOptions } | { readonly client: SqlitePool })

/**
 * Drizzle on a SQLite pool. `db.transaction` holds the writer from its beginning to its end, so that two of them run one after
 * the other; what belongs to it goes through `tx`. With a `name` in the connection's options the pool is the same however
 * often the module is loaded.
 *
 * @throws {InvalidOptionError} for an option that cannot be meant.
 * @example
 * import { drizzle } from '@poolguard/sqlite/drizzle'
 *
 * export const db = drizzle('app.db', { schema })
 * // or, kept over hot reloads:
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
  const db = plainDrizzle(answerFrom(pool), batchIn(pool), rest)
  runTransactionsOn(db as unknown as Internals, pool)
  return Object.assign(db, { $client: pool })
}

/** What Drizzle has of a database, and does not tell of. */
interface Internals {
  readonly session: ProxySession
  transaction(work: (tx: unknown) => Promise<unknown>): Promise<unknown>
}

interface ProxySession {
  readonly dialect: never
  readonly schema: never
}

/**
 * Drizzle's own sends `begin` and `commit` as any other statement, to whichever connection is free; and inner transactions
 * beside each other undo each other's work, as their savepoints have one name.
 */
function runTransactionsOn(db: Internals, asked: Asked): void {
  db.transaction = (work) =>
    asked.transaction((transaction) => {
      const { session } = db
      const pinned = Object.assign(Object.create(session), {
        client: answerFrom(transaction),
        // As Drizzle spells it.
        batchCLient: batchIn(transaction),
      })
      const tx = new SQLiteProxyTransaction('async', session.dialect, pinned, session.schema)
      runTransactionsOn(tx as unknown as Internals, transaction)
      return work(tx)
    })
}

type Method = 'run' | 'all' | 'values' | 'get'
type Asked = SqlitePool | SqliteTransaction

function answerFrom(asked: Asked) {
  return async (sql: string, parameters: unknown[], method: Method) => {
    const result = await asked.query(sql, parameters as SqliteValue[], { rowMode: 'array' })
    // One row is no list of rows, and none is undefined, which the types do not say.
    return { ...result, rows: method === 'get' ? (result.rows[0] as unknown as unknown[]) : result.rows }
  }
}

/** All of a batch, or nothing of it. */
function batchIn(asked: Asked) {
  return (batch: { sql: string; params: unknown[]; method: Method }[]) =>
    asked.transaction((transaction) => {
      const answer = answerFrom(transaction)
      return Promise.all(batch.map(({ sql, params, method }) => answer(sql, params, method)))
    })
}

function isConfig(given: unknown): given is object {
  return typeof given === 'object' && given !== null && !(given instanceof URL)
}

/** A connection of better-sqlite3 is what Drizzle's own takes. */
function requirePool(client: SqlitePool): SqlitePool {
  if (typeof client?.query === 'function') return client
  throw new InvalidOptionError('client', client, "a SqlitePool; or give the path alone, as in drizzle('app.db')")
}

function readConnection(connection: unknown): SqliteOptions {
  if (isConfig(connection)) return connection as SqliteOptions
  if (connection !== undefined) return { file: connection as string | URL }
  throw new InvalidOptionError(
    'connection',
    connection,
    'a path or options, or give { client } with a pool in it; is the environment variable set that it is read from?',
  )
}
