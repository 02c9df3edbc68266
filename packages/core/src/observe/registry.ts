import { ProcessWide } from '../process-wide.ts'
import { databaseOf } from './database-of.ts'
import { keepCounts } from './keep-counts.ts'
import type { ObservedPool, PoolSnapshot } from './snapshot.ts'

interface Registry {
  readonly pools: Set<ObservedPool>
  /** Pools by their database, so that finding the pools of a database does not read all pools. */
  readonly byDatabase: Map<string, Set<ObservedPool>>
  /** Pools that are not yet in `byDatabase`: some pools cannot return a snapshot while they register. */
  readonly unsorted: Set<ObservedPool>
  /** The database of each pool in `byDatabase`. */
  readonly databases: Map<ObservedPool, string>
}

const registry = new ProcessWide<Registry>('poolguard.registry.2', () => ({
  pools: new Set(),
  byDatabase: new Map(),
  unsorted: new Set(),
  databases: new Map(),
}))

/** Registers a pool process-wide. Call the returned function when the pool is closed; the counters keep the pool's counts. */
export function registerPool(pool: ObservedPool): () => void {
  const { pools, unsorted } = registry.value
  pools.add(pool)
  unsorted.add(pool)
  return () => {
    if (!pools.delete(pool)) return
    forget(pool)
    keepCounts(pool.snapshot())
  }
}

/** Snapshots of all open pools of this process, in the order of their creation. */
export function snapshotPools(): PoolSnapshot[] {
  return listPools().map((pool) => pool.snapshot())
}

/** @internal All open pools of this process. */
export function listPools(): ObservedPool[] {
  return [...registry.value.pools]
}

/** Snapshots of the open pools of a database, read one by one. */
export function* snapshotPoolsOf(database: string): Generator<PoolSnapshot> {
  sortPools()
  for (const pool of registry.value.byDatabase.get(database) ?? []) yield pool.snapshot()
}

/** Moves each unsorted pool to `byDatabase`. */
function sortPools(): void {
  const { unsorted, byDatabase, databases } = registry.value
  for (const pool of unsorted) {
    unsorted.delete(pool)
    const database = databaseOf(pool.snapshot().target)
    if (database === undefined) continue
    databases.set(pool, database)
    const sorted = byDatabase.get(database) ?? new Set()
    byDatabase.set(database, sorted.add(pool))
  }
}

function forget(pool: ObservedPool): void {
  const { unsorted, byDatabase, databases } = registry.value
  unsorted.delete(pool)
  const database = databases.get(pool)
  if (database === undefined) return
  databases.delete(pool)
  const sorted = byDatabase.get(database)
  sorted?.delete(pool)
  if (sorted?.size === 0) byDatabase.delete(database)
}
