/**
 * postgres.js on the connections of a guarded pool.
 *
 * @module @poolguard/postgres-js
 */

export { guardPostgres, sharedGuardedSql } from './guard-postgres.ts'
export type { GuardedOptions } from './guarded-options.ts'
export { UnsupportedPostgresError } from './internals.ts'
export { type ObserveOptions, observe, type SqlObservation } from './observe/observe-sql.ts'
export type { GuardedSql, ReserveOptions } from './sql/guarded-sql-api.ts'
export { joinReplicas } from './sql/route.ts'
