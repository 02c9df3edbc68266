/**
 * A `pg.Pool` that stays within the connection limits of the database.
 *
 * @module @poolguard/pg
 */
import pg from 'pg'
import { guardPoolClass } from './guarded-pool.ts'
import type { GuardedPoolClass, GuardedPool as GuardedPoolInstance } from './guarded-pool-api.ts'
import type { GuardedPoolConfig } from './guarded-pool-config.ts'
import { sharedGuardedPool } from './shared-guarded-pool.ts'

/** {@link guardPoolClass} for the copy of pg that this package resolves. */
export const GuardedPool: GuardedPoolClass = guardPoolClass(pg.Pool)
export type GuardedPool = GuardedPoolInstance

/**
 * Creates a GuardedPool. With a `name`, the pool is shared in the process: if a development server loads your module again, the call
 * returns the existing pool. If the options have changed, it returns a new pool and drains the old one.
 *
 * @throws {InvalidOptionError} for an invalid option; `ConnectionStringError` for a bad URL.
 * @example
 * export const pool = guardPool({ name: 'orders', url: process.env.DATABASE_URL, instances: 6 })
 */
export function guardPool(config: GuardedPoolConfig = {}): GuardedPool {
  return sharedGuardedPool(GuardedPool, config).pool
}
export { PgBouncerConsole } from './connection/pgbouncer-console.ts'
export { guardPoolClass, joinReplicas } from './guarded-pool.ts'
export type { AbortableQuery, ConnectOptions, GuardedPoolClass, PoolClass } from './guarded-pool-api.ts'
export { type GuardedPoolConfig, type Reset, validateConfig } from './guarded-pool-config.ts'
export type { Listener, ListenGap, ListenOptions } from './listen/channel-listeners.ts'
export { pgBouncerSource, postgresSource, type SourceOptions } from './observe/metrics-sources.ts'
export { type ObserveOptions, observe, type PoolObservation } from './observe/observe-pool.ts'
export { sharedGuardedPool } from './shared-guarded-pool.ts'
