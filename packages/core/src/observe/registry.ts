import { ProcessWide } from '../process-wide.ts'
import { keepCounts } from './closed-pools.ts'
import type { ObservedPool, PoolSnapshot } from './snapshot.ts'

const pools = new ProcessWide('poolguard.registry.1', () => new Set<ObservedPool>())

/** Enters a pool into the process's registry; call what it returns when the pool is closed. What it has counted is kept. */
export function registerPool(pool: ObservedPool): () => void {
  pools.value.add(pool)
  return () => {
    if (pools.value.delete(pool)) keepCounts(pool.snapshot())
  }
}

/** Every open guarded pool in this process, as it is now, in the order they were made. */
export function snapshotPools(): PoolSnapshot[] {
  return [...pools.value].map((pool) => pool.snapshot())
}

/** @internal The pools themselves. */
export function openPools(): ObservedPool[] {
  return [...pools.value]
}
