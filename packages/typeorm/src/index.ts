/**
 * TypeORM on guarded pools.
 *
 * @module @poolguard/typeorm
 */

export { guardDataSource } from './guard-data-source.ts'
export type { GuardOptions } from './guard-options.ts'
export { guardedPools } from './guarded-pools.ts'
export { migrationDataSource } from './migration-data-source.ts'
export type { PostgresOptions } from './postgres-options.ts'
