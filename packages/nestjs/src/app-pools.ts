import { InvalidOptionError, type SharedPool } from '@poolguard/core'
import { prefixOptionErrors } from '@poolguard/core/adapter'
import type { GuardedPool, GuardedPoolConfig } from '@poolguard/pg'
import type { PoolKey } from './pool-configs.ts'

/** The pools that the module creates, as opposed to those that it only observes. */
export class AppPools {
  readonly #shared: ReadonlyMap<PoolKey, SharedPool<GuardedPool>>

  private constructor(shared: ReadonlyMap<PoolKey, SharedPool<GuardedPool>>) {
    this.#shared = shared
  }

  /** @throws {InvalidOptionError} for an invalid option; {@link ConnectionStringError} for a bad URL. */
  static async create(configs: ReadonlyMap<PoolKey, GuardedPoolConfig>): Promise<AppPools> {
    if (configs.size === 0) return new AppPools(new Map())
    // Imported only here: an app that observes pools of another driver may not have pg installed.
    const { GuardedPool, sharedGuardedPool } = await import('@poolguard/pg')
    // An app may start together with its database, so wait for the database.
    const createPool = (key: PoolKey, config: GuardedPoolConfig) =>
      prefixOptionErrors(key === undefined ? undefined : `pools.${key}`, () =>
        sharedGuardedPool(GuardedPool, { waitForServer: true, ...config }),
      )
    return new AppPools(new Map([...configs].map(([key, config]) => [key, createPool(key, config)])))
  }

  /** @throws {InvalidOptionError} if no pool has this key. */
  get(key: PoolKey): GuardedPool {
    const shared = this.#shared.get(key)
    if (shared) return shared.pool
    throw new InvalidOptionError('name', key, describeKeys([...this.#shared.keys()]))
  }

  /** Drains and closes the pools, except named pools that another app has taken over since (a hot reload). */
  async end(): Promise<void> {
    await Promise.all([...this.#shared.values()].map((shared) => shared.end()))
  }
}

function describeKeys(keys: readonly PoolKey[]): string {
  if (keys.length === 0) return 'the key of a pool, and the module has no pools'
  if (keys.includes(undefined)) return 'no value, because the module has only one pool'
  return `one of ${keys.map((key) => `'${key}'`).join(', ')}`
}
