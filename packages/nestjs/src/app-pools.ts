import type { SharedPool } from '@poolguard/core'
import { InvalidOptionError } from '@poolguard/core'
import { prefixOptionErrors } from '@poolguard/core/adapter'
import type { GuardedPool, GuardedPoolConfig } from '@poolguard/pg'
import type { PoolKey } from './pool-configs.ts'

/** The pools that an app was asked to make, as against those that it only observes. */
export class AppPools {
  readonly #held: ReadonlyMap<PoolKey, SharedPool<GuardedPool>>

  private constructor(held: ReadonlyMap<PoolKey, SharedPool<GuardedPool>>) {
    this.#held = held
  }

  /** @throws {InvalidOptionError} for an option that cannot be meant; {@link ConnectionStringError} for a bad URL. */
  static async hold(configs: ReadonlyMap<PoolKey, GuardedPoolConfig>): Promise<AppPools> {
    if (configs.size === 0) return new AppPools(new Map())
    // Loaded only here: an app that observes pools of another driver may have no pg.
    const { GuardedPool, sharedGuardedPool } = await import('@poolguard/pg')
    // An app lives long, and may start together with its database.
    const hold = (key: PoolKey, config: GuardedPoolConfig) =>
      prefixOptionErrors(key === undefined ? undefined : `pools.${key}`, () =>
        sharedGuardedPool(GuardedPool, { waitForServer: true, ...config }),
      )
    return new AppPools(new Map([...configs].map(([key, config]) => [key, hold(key, config)])))
  }

  /** @throws {InvalidOptionError} where there is none of that key. */
  get(key: PoolKey): GuardedPool {
    const held = this.#held.get(key)
    if (held) return held.pool
    throw new InvalidOptionError('name', key, describeKeys([...this.#held.keys()]))
  }

  /** Drains and closes them, but for those that an app has taken by their names since: a hot reload's. */
  async end(): Promise<void> {
    await Promise.all([...this.#held.values()].map((held) => held.end()))
  }
}

function describeKeys(keys: readonly PoolKey[]): string {
  if (keys.length === 0) return 'the key of a pool, and the module has none'
  if (keys.includes(undefined)) return 'no value where there is only one pool'
  return `one of ${keys.map((key) => `'${key}'`).join(', ')}`
}
