import { ProcessWide } from '../process-wide.ts'
import { keepCounts } from './closed-pools.ts'
import { databaseOf } from './database-of.ts'
import type { ObservedPool, PoolSnapshot } from './snapshot.ts'

interface Registry {
  readonly pools: Set<ObservedPool>
  /** Pools by the database that they lead to, so that no pool has to be compared with all others. */
  readonly byDatabase: Map<string, Set<ObservedPool>>
  /** Pools that were not sorted into `byDatabase` yet: some cannot be asked for their target when they are entered. */
  readonly unsorted: Set<ObservedPool>
  /** Where each sorted pool leads to. */
  readonly databases: Map<ObservedPool, string>
}

const registry = new ProcessWide<Registry>('poolguard.registry.2', () => ({
  pools: new Set(),
  byDatabase: new Map(),
  unsorted: new Set(),
  databases: new Map(),
}))

/** Enters a pool into the process's registry; call what it returns when the pool is closed. What it has counted is kept. */
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

/** Every open guarded pool in this process, as it is now, in the order they were made. */
export function snapshotPools(): PoolSnapshot[] {
  return listPools().map((pool) => pool.snapshot())
}

/** @internal The pools themselves. */
export function listPools(): ObservedPool[] {
  return [...registry.value.pools]
}

/** The open pools that lead to a database, one after the other, each as it is now. */
export function* snapshotPoolsOf(database: string): Generator<PoolSnapshot> {
  sortPools()
  for (const pool of registry.value.byDatabase.get(database) ?? []) yield pool.snapshot()
}

/** Each pool is sorted once. */
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
