export { isPoolTimeout, isTooManyConnections } from '@poolguard/core'
export { guardPrismaUrl, type PrismaUrlOptions } from './guard-prisma-url.ts'
export { type BatchOptions, inBatches, type TransactingClient, type TransactionClientOf } from './in-batches.ts'
