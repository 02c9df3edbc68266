import type { SharedPool } from '@poolguard/core'
import { ProcessWide, sharePool } from '@poolguard/core/adapter'
import type { GuardedPool, GuardedPoolClass } from './guarded-pool.ts'
import type { GuardedPoolConfig } from './guarded-pool-config.ts'

/**
 * A GuardedPool, the same for the same name however often the module is loaded that asks for it: what every adapter makes
 * its pool with. See {@link sharePool}. With `shared: false` it is one of its own, whatever it is called.
 *
 * @throws {InvalidOptionError} for an option that cannot be meant; `ConnectionStringError` for a bad URL.
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

/** Each copy of pg has pools of its own: one of another copy is not what its ORM takes for a pool. */
function numberOf(PgPool: object): number {
  const known = pgCopies.value.indexOf(PgPool)
  return known >= 0 ? known : pgCopies.value.push(PgPool) - 1
}
