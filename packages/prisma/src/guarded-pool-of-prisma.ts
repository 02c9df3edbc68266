import { PoolguardError } from '@poolguard/core'
import { type GuardedPool, type GuardedPoolClass, guardPoolClass, type PoolClass } from '@poolguard/pg'
import { PrismaPg as PlainPrismaPg } from '@prisma/adapter-pg'

/** The installed @prisma/adapter-pg does not take a pool, or does not show the one it has. */
export class UnsupportedAdapterError extends PoolguardError {
  static {
    UnsupportedAdapterError.prototype.name = 'UnsupportedAdapterError'
  }

  readonly code = 'POOLGUARD_PRISMA_ADAPTER'

  constructor(what: string) {
    super(`The installed @prisma/adapter-pg ${what}. Versions from 6.16 on, and below 8, do otherwise.`)
  }
}

/** As much of an adapter as is looked at; a version that is not supported may lack it. */
interface ShowsDriver {
  underlyingDriver?(): object
}

/**
 * PrismaPg takes a pool for one only if it is `instanceof` the Pool of the pg that it imports itself, which need not be
 * the app's; anything else it takes for options, and connects to localhost:5432. An adapter that is never used shows
 * which pg that is; it opens no connection.
 *
 * @throws {UnsupportedAdapterError}
 */
export async function guardedPoolOfPrisma(): Promise<GuardedPoolClass> {
  return guardPoolClass(poolClassOf(await new PlainPrismaPg({}).connect()))
}

/** @throws {UnsupportedAdapterError} for an adapter that does not show its pool. */
export function poolClassOf(adapter: ShowsDriver): PoolClass {
  const pool = adapter.underlyingDriver?.()
  if (pool && 'totalCount' in pool) return pool.constructor as PoolClass
  throw new UnsupportedAdapterError('does not show the pool it has')
}

/** @throws {UnsupportedAdapterError} for an adapter that has made a pool of its own, wherever that leads to. */
export function requireOwnPool(adapter: ShowsDriver, pool: GuardedPool): void {
  if (adapter.underlyingDriver?.() !== pool) throw new UnsupportedAdapterError('does not take the pool it is given')
}
