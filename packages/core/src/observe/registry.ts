import { keepCounts } from './closed-pools.ts'
import type { ObservedPool, PoolSnapshot } from './snapshot.ts'

const KEY: unique symbol = Symbol.for('poolguard.registry.1')

/** On globalThis, so that two copies of this package in one process (ESM and CommonJS, say) share it. */
function pools(): Set<ObservedPool> {
  const holder = globalThis as { [KEY]?: Set<ObservedPool> }
  holder[KEY] ??= new Set()
  return holder[KEY]
}

/** Enters a pool into the process's registry; call what it returns when the pool is closed. What it has counted is kept. */
export function registerPool(pool: ObservedPool): () => void {
  pools().add(pool)
  return () => {
    if (pools().delete(pool)) keepCounts(pool.snapshot())
  }
}

/** Every open guarded pool in this process, as it is now, in the order they were made. */
export function snapshotPools(): PoolSnapshot[] {
  return [...pools()].map((pool) => pool.snapshot())
}

/** @internal The pools themselves. */
export function openPools(): ObservedPool[] {
  return [...pools()]
}
