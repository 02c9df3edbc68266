/**
 * A pool of SQLite connections: one writer and several readers, each in its own thread.
 *
 * @module @poolguard/sqlite
 */

export { ConnectionLostError, SqliteError, StatementRefusedError, TransactionOverError } from './errors.ts'
export type { DriverName, SqliteParameters, SqliteValue, Synchronous } from './protocol.ts'
export { sharedSqlitePool } from './shared-sqlite-pool.ts'
export type { SqliteOptions } from './sqlite-options.ts'
export { SqlitePool, type SqliteStats, type TransactionOptions } from './sqlite-pool.ts'
export type { QueryOptions, SqliteResult, SqliteRow } from './statements/query-result.ts'
export type { SqliteTransaction } from './transactions/sqlite-transaction.ts'
