import type { SharedPool } from '@poolguard/core'
import { InvalidOptionError } from '@poolguard/core/adapter'
import {
  type GuardedPool,
  type GuardedPoolClass,
  type GuardedPoolConfig,
  guardPoolClass,
  type PoolClass,
  sharedGuardedPool,
} from '@poolguard/pg'

const POOLS: unique symbol = Symbol('poolguard.typeorm.pools')

/** A pool's configuration, marked with its owner while it passes through TypeORM. */
interface MarkedConfig extends GuardedPoolConfig {
  readonly [POOLS]?: DataSourcePools
}

/**
 * The class that TypeORM uses as `pg.Pool`. Each pool belongs to the DataSource that closes it; the configuration carries that
 * owner.
 */
export function poolClassFor(pg: { readonly Pool: PoolClass }): PoolClass {
  const Guarded = guardPoolClass(pg.Pool)
  function Pool({ [POOLS]: pools, ...config }: MarkedConfig): GuardedPool {
    if (pools) return pools.open(Guarded, config)
    throw new InvalidOptionError(
      'cache',
      undefined,
      'the value that guardDataSource set. Pass your own cache option to guardDataSource',
    )
  }
  return Pool as unknown as PoolClass
}

/** All pools that one DataSource opened, including pools that TypeORM lost after a failed `initialize`. */
export class DataSourcePools {
  readonly #shared: boolean
  readonly #pools = new Set<SharedPool<GuardedPool>>()
  #closing: Promise<void> | undefined

  /** @param shared share pools by name across hot reloads of the module that creates the DataSource. */
  constructor(shared: boolean) {
    this.#shared = shared
  }

  mark(config: GuardedPoolConfig): GuardedPoolConfig {
    const marked: MarkedConfig = { ...config, [POOLS]: this }
    return marked
  }

  open(Guarded: GuardedPoolClass, config: GuardedPoolConfig): GuardedPool {
    const shared = sharedGuardedPool(Guarded, config, { shared: this.#shared })
    // Each DataSource adds an error listener; on a shared pool, only the latest listener stays.
    shared.pool.removeAllListeners('error')
    this.#pools.add(shared)
    return shared.pool
  }

  /** A replica that cannot be reached does not keep the DataSource from starting: its pool stays, for when it can. */
  async keepReplica(created: Promise<GuardedPool>, { name }: GuardedPoolConfig): Promise<GuardedPool> {
    try {
      return await created
    } catch (error) {
      const kept = [...this.#pools].find(({ pool }) => !pool.closed && pool.snapshot().name === name)
      if (kept) return kept.pool
      throw error
    }
  }

  /** Drains all pools, each within its `drainMillis`, and closes them. */
  close(): Promise<void> {
    this.#closing ??= this.#close().finally(() => {
      this.#closing = undefined
    })
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#pools].map((shared) => shared.end()))
    this.#pools.clear()
  }
}
