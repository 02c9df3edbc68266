import { PoolguardError } from '@poolguard/core/adapter'
import { type GuardedPool, type GuardedPoolClass, guardPoolClass, type PoolClass } from '@poolguard/pg'
import { PrismaPg as PlainPrismaPg } from '@prisma/adapter-pg'

/** The installed @prisma/adapter-pg does not accept a pool, or does not expose its pool. */
export class UnsupportedAdapterError extends PoolguardError {
  static {
    UnsupportedAdapterError.prototype.name = 'UnsupportedAdapterError'
  }

  readonly code = 'POOLGUARD_PRISMA_ADAPTER'

  constructor(problem: string) {
    super(`The installed @prisma/adapter-pg ${problem}. Install version 6.16 or later, below 8.`)
  }
}

/** The part of an adapter used here; unsupported versions may lack it. */
interface ShowsDriver {
  underlyingDriver?(): object
}

/**
 * PrismaPg accepts a pool only if it is `instanceof` the Pool of its own copy of pg, which may differ from the app's copy. It reads
 * any other object as options and connects to localhost:5432. An unused adapter reveals Prisma's copy of pg without opening a
 * connection.
 *
 * @throws {UnsupportedAdapterError}
 */
export async function guardedPoolOfPrisma(): Promise<GuardedPoolClass> {
  return guardPoolClass(poolClassOf(await new PlainPrismaPg({}).connect()))
}

/** @throws {UnsupportedAdapterError} if the adapter does not expose its pool. */
export function poolClassOf(adapter: ShowsDriver): PoolClass {
  const pool = adapter.underlyingDriver?.()
  if (pool && 'totalCount' in pool) return pool.constructor as PoolClass
  throw new UnsupportedAdapterError('does not expose its pool')
}

/** @throws {UnsupportedAdapterError} if the adapter created its own pool, which may connect to another server. */
export function requireOwnPool(adapter: ShowsDriver, pool: GuardedPool): void {
  if (adapter.underlyingDriver?.() !== pool) throw new UnsupportedAdapterError('does not accept the guarded pool')
}
