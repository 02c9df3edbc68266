import type { SharedPool } from '@poolguard/core'
import { ProcessWide, sharePool } from '@poolguard/core/adapter'
import type { GuardedPool, GuardedPoolClass } from './guarded-pool-api.ts'
import type { GuardedPoolConfig } from './guarded-pool-config.ts'

/**
 * Returns the process's GuardedPool with this name, or creates it. All adapters create their pools with this function; see
 * {@link sharePool}. With `shared: false` the call always creates a new pool.
 *
 * @throws {InvalidOptionError} for an invalid option; `ConnectionStringError` for a bad URL.
 */
export function sharedGuardedPool(
  GuardedPool: GuardedPoolClass,
  config: GuardedPoolConfig,
  { shared = true }: { readonly shared?: boolean } = {},
): SharedPool<GuardedPool> {
  return sharePool({
    kind: `pg ${numberOf(Object.getPrototypeOf(GuardedPool))}`,
    name: shared ? config.name : undefined,
    options: config,
    make: () => new GuardedPool(config),
    isOpen: (pool) => !pool.closed,
    close: (pool) => pool.end(),
  })
}

const pgCopies = new ProcessWide<object[]>('poolguard.pg.1', () => [])

/** Separates pools by copy of pg: an ORM does not accept a pool of another copy. */
function numberOf(PgPool: object): number {
  const known = pgCopies.value.indexOf(PgPool)
  return known >= 0 ? known : pgCopies.value.push(PgPool) - 1
}
