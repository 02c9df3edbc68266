import type { SharedPool } from '@poolguard/core'
import { InvalidOptionError } from '@poolguard/core'
import {
  type GuardedPool,
  type GuardedPoolClass,
  type GuardedPoolConfig,
  guardPoolClass,
  type PoolClass,
  sharedGuardedPool,
} from '@poolguard/pg'

const POOLS: unique symbol = Symbol('poolguard.typeorm.pools')

/** A pool's configuration on its way through TypeORM. */
interface MarkedConfig extends GuardedPoolConfig {
  readonly [POOLS]?: HeldPools
}

/**
 * What TypeORM is given for `pg.Pool`. The pools belong to a DataSource, which closes them; its mark comes along with
 * the configuration.
 */
export function poolClassFor(pg: { readonly Pool: PoolClass }): PoolClass {
  const Guarded = guardPoolClass(pg.Pool)
  function Pool({ [POOLS]: pools, ...config }: MarkedConfig): GuardedPool {
    if (pools) return pools.open(Guarded, config)
    throw new InvalidOptionError('cache', undefined, 'what guardDataSource has set: give it your own cache option')
  }
  return Pool as unknown as PoolClass
}

/** The pools that one DataSource has opened, be it that it never got hold of them itself. */
export class HeldPools {
  readonly #shared: boolean
  readonly #held = new Set<SharedPool<GuardedPool>>()
  #closing: Promise<void> | undefined

  /**
   * @param shared whether pools of the same name are the same, over hot reloads of the module that makes the
   * DataSource.
   */
  constructor(shared: boolean) {
    this.#shared = shared
  }

  mark(config: GuardedPoolConfig): GuardedPoolConfig {
    const marked: MarkedConfig = { ...config, [POOLS]: this }
    return marked
  }

  open(Guarded: GuardedPoolClass, config: GuardedPoolConfig): GuardedPool {
    const held = sharedGuardedPool(Guarded, config, { shared: this.#shared })
    // TypeORM adds one listener for each DataSource; of a pool that is taken again, only the latest is to hear of it.
    held.pool.removeAllListeners('error')
    this.#held.add(held)
    return held.pool
  }

  /** Lends no more, waits for what is at work, within each pool's `drainMillis`, and closes. */
  close(): Promise<void> {
    this.#closing ??= this.#close().finally(() => {
      this.#closing = undefined
    })
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#held].map((held) => held.end()))
    this.#held.clear()
  }
}
