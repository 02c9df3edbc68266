/**
 * URLs for the Rust engine of Prisma 5 and 6.
 *
 * @module @poolguard/prisma/engine
 */

export { isPoolTimeout, isTooManyConnections } from '@poolguard/core/adapter'
export { guardPrismaUrl, type PrismaUrlOptions } from './guard-prisma-url.ts'
export { type BatchOptions, inBatches, type TransactingClient, type TransactionClientOf } from './in-batches.ts'
