import type { PoolSnapshot } from '@poolguard/core'
import { withReplicas as plainWithReplicas } from 'drizzle-orm/pg-core'

interface Guarded {
  readonly $client: { snapshot(): PoolSnapshot }
}

/**
 * Drizzle's own `withReplicas`, which sends a read to the replica with the most room: where the fewest callers wait, and then
 * where the smallest share of the connections is in use. Drizzle's picks one at random. Each database has a pool of its
 * own; `getReplica` still decides where it is given.
 *
 * @example
 * const db = withReplicas(drizzle(process.env.DATABASE_URL), [drizzle(process.env.REPLICA_URL)])
 */
export const withReplicas: typeof plainWithReplicas = (primary, replicas, getReplica = roomiest) =>
  plainWithReplicas(primary, replicas, getReplica)

/** The first of equals changes from call to call: idle replicas get the same share. */
let turn = 0

function roomiest<T>(replicas: readonly T[]): T {
  turn = (turn + 1) % replicas.length
  const inTurn = [...replicas.slice(turn), ...replicas.slice(0, turn)]
  return inTurn.reduce((best, each) => (loadOf(each) < loadOf(best) ? each : best))
}

/** Below 1 while connections are free; above it, the callers who wait. A database that is not guarded counts as free. */
function loadOf(db: unknown): number {
  const { $client } = db as Partial<Guarded>
  if (typeof $client?.snapshot !== 'function') return 0
  const { waiting, active, max } = $client.snapshot().stats
  return waiting + active / (max + 1)
}
