import {
  HealthMonitor,
  InvalidOptionError,
  type PoolSnapshot,
  type ProcessHealth,
  snapshotPools,
} from '@poolguard/core'
import { prefixOptionErrors } from '@poolguard/core/adapter'
import type { GuardedPool } from '@poolguard/pg'
import type { AppPools } from './app-pools.ts'
import type { HealthOptions } from './module-options.ts'

/**
 * What the guarded pools of this process are doing, whichever adapter made them. Injected by its class.
 *
 * @publicApi
 * @example
 * @Injectable()
 * export class Reports {
 *   constructor(private readonly poolguard: Poolguard) {}
 * }
 */
export class Poolguard {
  readonly #pools: AppPools
  readonly #monitor: HealthMonitor

  /** @internal */
  constructor(pools: AppPools, health: HealthOptions = {}) {
    if (typeof health !== 'object' || health === null) {
      throw new InvalidOptionError('health', health, '{ thresholds, windowMillis, recoveryMillis }')
    }
    this.#pools = pools
    this.#monitor = prefixOptionErrors('health', () => new HealthMonitor(health))
  }

  /** Every guarded pool of the process that has been used. */
  snapshots(): PoolSnapshot[] {
    return snapshotPools()
  }

  /** Judged over a window, from look to look. */
  health(): ProcessHealth {
    return this.#monitor.check()
  }

  /**
   * A pool of this module.
   *
   * @param name its key in `pools`; without one, the only pool.
   * @throws {InvalidOptionError} where there is none of that name.
   */
  pool(name?: string): GuardedPool {
    return this.#pools.get(name)
  }
}
