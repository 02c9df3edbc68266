import type { PoolStats } from '../pool/index.ts'
import { evaluateHealth, type Health } from './health.ts'
import { registerPool } from './registry.ts'
import type { PoolSnapshot } from './snapshot.ts'

/** A pool that poolguard watches and does not run. */
export interface Observation {
  snapshot(): PoolSnapshot
  /** By what has happened since the observation began. */
  health(): Health
  /** Takes the pool out of the registry. */
  stop(): void
}

/** Enters a pool in the registry that poolguard does not run. */
export function registerObservation(pool: {
  readonly name: string
  /** Where it leads to, its password hidden. */
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
