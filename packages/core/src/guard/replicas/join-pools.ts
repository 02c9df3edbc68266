import { InvalidOptionError } from '../../invalid-option-error.ts'
import type { PoolGuard } from '../pool-guard.ts'
import { type ReplicaOptions, readReplicaPolicy } from './replica-options.ts'
import { joinReplicas } from './routing.ts'

/**
 * The guard of an adapter's pool, which every copy of the adapter finds under the same key.
 *
 * @throws {InvalidOptionError} if the pool has none.
 */
export function guardOf<C extends object>(pool: object, key: symbol): PoolGuard<C> {
  const guard = (pool as Readonly<Record<symbol, PoolGuard<C> | undefined>>)[key]
  if (!guard) throw new InvalidOptionError('replicas', pool.constructor.name, 'pools of poolguard')
  return guard
}

/**
 * Makes existing pools of an adapter a primary and its replicas.
 *
 * @param key under which pools have their guards.
 * @throws {InvalidOptionError} for an invalid option, or a pool without a guard.
 */
export function joinPools(
  primary: object,
  replicas: readonly object[],
  key: symbol,
  options: Omit<ReplicaOptions, 'replicas' | 'routeReads'> = {},
): void {
  joinReplicas(
    guardOf(primary, key),
    replicas.map((replica) => guardOf(replica, key)),
    readReplicaPolicy({ ...options, routeReads: false }),
  )
}
