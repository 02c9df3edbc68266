import type { PoolCounts } from '@poolguard/core'
import { withReplicas as plainWithReplicas } from 'drizzle-orm/pg-core'

interface Guarded {
  readonly $client: { readonly counts?: PoolCounts }
}

/**
 * Drizzle's own `withReplicas` with another choice: a read goes to the replica with the fewest waiters, then to the one with the
 * smallest share of its connections in use. Drizzle chooses at random. Each database has its own pool; if you pass `getReplica`, it
 * decides.
 *
 * @example
 * const db = withReplicas(drizzle(process.env.DATABASE_URL!), [drizzle(process.env.REPLICA_URL!)])
 */
export const withReplicas: typeof plainWithReplicas = (primary, replicas, getReplica = leastLoaded) =>
  plainWithReplicas(primary, replicas, getReplica)

/** Rotates the order, so that equally loaded replicas get the same number of reads. */
let turn = 0

function leastLoaded<T>(replicas: readonly T[]): T {
  turn = (turn + 1) % replicas.length
  const inTurn = [...replicas.slice(turn), ...replicas.slice(0, turn)]
  return inTurn.reduce((best, each) => (isLessLoaded(loadOf(each), loadOf(best)) ? each : best))
}

interface Load {
  /** Connecting fails at the moment: a replica that fails immediately would otherwise look least loaded. */
  readonly connectFailing: boolean
  readonly waiting: number
  readonly activeShare: number
}

function isLessLoaded(a: Load, b: Load): boolean {
  if (a.connectFailing !== b.connectFailing) return b.connectFailing
  return a.waiting !== b.waiting ? a.waiting < b.waiting : a.activeShare < b.activeShare
}

/** A database that is not guarded counts as idle. */
function loadOf(db: unknown): Load {
  const { counts } = (db as Partial<Guarded>).$client ?? {}
  if (!counts) return { connectFailing: false, waiting: 0, activeShare: 0 }
  return { connectFailing: counts.connectFailing, waiting: counts.waiting, activeShare: counts.active / counts.max }
}
