import { type HeldPool, holdPool } from '@poolguard/core'
import type { GuardedPool, GuardedPoolClass } from './guarded-pool.ts'
import type { GuardedPoolConfig } from './guarded-pool-config.ts'

/**
 * A GuardedPool, the same for the same name however often the module is loaded that asks for it: what every adapter makes
 * its pool with. See {@link holdPool}.
 *
 * @throws {InvalidOptionError} for an option that cannot be meant; {@link ConnectionStringError} for a bad URL.
 */
export function holdGuardedPool(GuardedPool: GuardedPoolClass, config: GuardedPoolConfig): HeldPool<GuardedPool> {
  return holdPool({
    kind: 'pg',
    name: config.name,
    options: config,
    make: () => new GuardedPool(config),
    isOpen: (pool) => !pool.closed,
    close: (pool) => pool.end(),
  })
}
