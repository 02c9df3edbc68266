/**
 * Prisma on a guarded pool.
 *
 * @module @poolguard/prisma
 */

export * from './engine.ts'
export { UnsupportedAdapterError } from './guarded-pool-of-prisma.ts'
export { type GuardedPrismaPgOptions, PrismaPg } from './prisma-pg.ts'
