import type { PoolCounts } from '@poolguard/core'
import { withReplicas as plainWithReplicas } from 'drizzle-orm/pg-core'

interface Guarded {
  readonly $client: { readonly counts?: PoolCounts }
}

/**
 * Drizzle's own `withReplicas`, which sends a read to the replica with the most room: where the fewest callers wait, and then
 * where the smallest share of the connections is in use. Drizzle's picks one at random. Each database has a pool of its
 * own; `getReplica` still decides where it is given.
 *
 * @example
 * const db = withReplicas(drizzle(process.env.DATABASE_URL!), [drizzle(process.env.REPLICA_URL!)])
 */
export const withReplicas: typeof plainWithReplicas = (primary, replicas, getReplica = roomiest) =>
  plainWithReplicas(primary, replicas, getReplica)

/** The first of equals changes from call to call: idle replicas get the same share. */
let turn = 0

function roomiest<T>(replicas: readonly T[]): T {
  turn = (turn + 1) % replicas.length
  const inTurn = [...replicas.slice(turn), ...replicas.slice(0, turn)]
  return inTurn.reduce((best, each) => (isRoomier(loadOf(each), loadOf(best)) ? each : best))
}

interface Load {
  /** It cannot be connected to at the moment: what fails at once has the most room. */
  readonly connectFailing: boolean
  readonly waiting: number
  readonly activeShare: number
}

function isRoomier(a: Load, b: Load): boolean {
  if (a.connectFailing !== b.connectFailing) return b.connectFailing
  return a.waiting !== b.waiting ? a.waiting < b.waiting : a.activeShare < b.activeShare
}

/** A database that is not guarded counts as free. */
function loadOf(db: unknown): Load {
  const { counts } = (db as Partial<Guarded>).$client ?? {}
  if (!counts) return { connectFailing: false, waiting: 0, activeShare: 0 }
  return { connectFailing: counts.connectFailing, waiting: counts.waiting, activeShare: counts.active / counts.max }
}
