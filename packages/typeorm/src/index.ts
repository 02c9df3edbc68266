/**
 * TypeORM on guarded pools.
 *
 * @module @poolguard/typeorm
 */

export { guardDataSource, guardedPools } from './guard-data-source.ts'
export { migrationDataSource } from './migration-data-source.ts'
export type { GuardOptions, ReplicaPoolOptions } from './pool-configs.ts'
export type { PostgresOptions } from './postgres-options.ts'
