import type { PoolStats } from '../pool/index.ts'
import { evaluateHealth, type Health } from './health.ts'
import { registerPool } from './registry.ts'
import type { PoolSnapshot } from './snapshot.ts'

/** The observation of a pool that poolguard does not manage, such as a plain `pg.Pool`. */
export interface Observation {
  snapshot(): PoolSnapshot
  /** The pool's health since the observation started. */
  health(): Health
  /** Removes the pool from the registry. */
  stop(): void
}

/** Registers a pool that poolguard does not manage. */
export function registerObservation(pool: {
  readonly name: string
  /** The connection string, its password hidden. */
  readonly target: string
  readonly stats: () => PoolStats
}): Observation {
  const { name, target, stats } = pool
  const before = stats()
  const snapshot = (): PoolSnapshot => ({
    ...{ name, target, stats: stats(), dirtyReleases: 0, sessionStateFindings: 0 },
    ...{ topology: null, preparing: null, budget: null, fleet: null },
  })
  return { snapshot, health: () => evaluateHealth({ stats: stats(), before }), stop: registerPool({ snapshot }) }
}
