import pg from 'pg'
import { type GuardedPoolClass, type GuardedPool as GuardedPoolInstance, guardPoolClass } from './guarded-pool.ts'

/** {@link guardPoolClass} over the copy of pg that this package finds. */
export const GuardedPool: GuardedPoolClass = guardPoolClass(pg.Pool)
export type GuardedPool = GuardedPoolInstance
export { type GuardedPoolClass, guardPoolClass, type PoolClass } from './guarded-pool.ts'
export { type GuardedPoolConfig, validateConfig } from './guarded-pool-config.ts'
export { type ObserveOptions, observe, type PoolObservation } from './observe-pool.ts'
export type { Reset } from './pg-connection.ts'
export { PgBouncerConsole } from './pgbouncer-console.ts'
