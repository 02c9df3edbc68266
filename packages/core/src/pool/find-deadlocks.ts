import type { Scope } from './caller-context.ts'
import type { Lane } from './lane.ts'
import type { TrackedLease } from './lease.ts'
import type { Waiter } from './waiter-queue.ts'

type MaybeLane = Lane | undefined

/**
 * The lanes whose waiters wait for each other: each lease whose release would let them continue is held by a caller that waits in such
 * a lane. A lease cannot end while a caller waits in its scope, or in a scope that was opened inside of it.
 *
 * @param isQuiet false for a lease that is working.
 */
export function findDeadlocks<R>(
  leases: readonly TrackedLease<R>[],
  waiters: Iterable<Waiter<R>>,
  isQuiet: (lease: TrackedLease<R>) => boolean,
): ReadonlySet<MaybeLane> {
  const lanesByScope = lanesOfWaiters(waiters)
  const stuck = new Set<MaybeLane>()
  for (const { lane, isInternal } of waiters) if (!isInternal) stuck.add(lane)
  const isStuck = (lease: TrackedLease<R>) => {
    const lanes = lease.borrower?.scope && lanesByScope.get(lease.borrower.scope)
    return lanes !== undefined && isQuiet(lease) && [...lanes].some((lane) => stuck.has(lane))
  }
  // A lane that is not stuck frees the leases of its waiters, which may free another lane.
  for (let size = -1; size !== stuck.size; ) {
    size = stuck.size
    for (const lane of stuck) {
      const awaited = leases.filter((lease) => makesRoom(lease.lane, lane))
      if (awaited.length === 0 || !awaited.every(isStuck)) stuck.delete(lane)
    }
  }
  return stuck
}

/** Whether a caller of one lane can get a connection that a caller of another one releases. */
function makesRoom(released: MaybeLane, waiting: MaybeLane): boolean {
  if (!released || !waiting || released === waiting) return true
  if (waiting.isFull) return false
  // Below its reserve, a lane only lacks a connection. Else the connection must not be kept for the lane that has released it.
  return waiting.unfilled > 0 || released.used > released.quota.reserve
}

function lanesOfWaiters<R>(waiters: Iterable<Waiter<R>>): ReadonlyMap<Scope, ReadonlySet<MaybeLane>> {
  const found = new Map<Scope, Set<MaybeLane>>()
  for (const { borrower, lane } of waiters) {
    for (let scope = borrower?.scope; scope; scope = scope.parent) {
      const lanes = found.get(scope)
      if (lanes) lanes.add(lane)
      else found.set(scope, new Set([lane]))
    }
  }
  return found
}
