/**
 * A `pg.Pool` that keeps to what the database can give.
 *
 * @module @poolguard/pg
 */
import pg from 'pg'
import { type GuardedPoolClass, type GuardedPool as GuardedPoolInstance, guardPoolClass } from './guarded-pool.ts'
import type { GuardedPoolConfig } from './guarded-pool-config.ts'
import { sharedGuardedPool } from './shared-guarded-pool.ts'

/** {@link guardPoolClass} over the copy of pg that this package finds. */
export const GuardedPool: GuardedPoolClass = guardPoolClass(pg.Pool)
export type GuardedPool = GuardedPoolInstance

/**
 * A GuardedPool for this process: with a `name`, the same one however often the module is loaded that asks for it, as
 * development servers do with every change. With other options the new one takes its place, and the old one is drained.
 *
 * @throws {InvalidOptionError} for an option that cannot be meant; `ConnectionStringError` for a bad URL.
 * @example
 * export const pool = guardPool({ name: 'orders', url: process.env.DATABASE_URL, instances: 6 })
 */
export function guardPool(config: GuardedPoolConfig = {}): GuardedPool {
  return sharedGuardedPool(GuardedPool, config).pool
}
export { PgBouncerConsole } from './connection/pgbouncer-console.ts'
export { type GuardedPoolClass, guardPoolClass, type PoolClass } from './guarded-pool.ts'
export { type GuardedPoolConfig, type Reset, validateConfig } from './guarded-pool-config.ts'
export { pgBouncerSource, postgresSource, type SourceOptions } from './observe/metrics-sources.ts'
export { type ObserveOptions, observe, type PoolObservation } from './observe/observe-pool.ts'
export { sharedGuardedPool } from './shared-guarded-pool.ts'
