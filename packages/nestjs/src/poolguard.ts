import { type HealthMonitor, type PoolSnapshot, type ProcessHealth, snapshotPools } from '@poolguard/core'
import type { GuardedPool } from '@poolguard/pg'
import type { AppPools } from './app-pools.ts'

/**
 * Snapshots and health of the guarded pools of this process, whichever adapter created them. Inject it by its class.
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
  constructor(pools: AppPools, monitor: HealthMonitor) {
    this.#pools = pools
    this.#monitor = monitor
  }

  /** Snapshots of every guarded pool of the process that has been used. */
  snapshots(): PoolSnapshot[] {
    return snapshotPools()
  }

  /** The health of every guarded pool, judged over `windowMillis`. */
  health(): ProcessHealth {
    return this.#monitor.check()
  }

  /**
   * A pool that this module created.
   *
   * @param name the pool's key in `pools`; omit it if there is only one pool.
   * @throws {InvalidOptionError} if no pool has this key.
   */
  pool(name?: string): GuardedPool {
    return this.#pools.get(name)
  }
}
