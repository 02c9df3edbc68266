/**
 * A guarded `postgres`.
 *
 * @module @poolguard/postgres-js
 */

export { type GuardedSql, guardPostgres } from './guard-postgres.ts'
export type { GuardedOptions } from './guarded-options.ts'
export { holdGuardedSql } from './hold-guarded-sql.ts'
export { UnsupportedPostgresError } from './internals.ts'
export { type ObserveOptions, observe, type SqlObservation } from './observe/observe-sql.ts'
