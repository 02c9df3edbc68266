import type { PoolCounts, ReplicaOptions } from '@poolguard/core'
import { withReplicas as plainWithReplicas } from 'drizzle-orm/pg-core'

type PlainWithReplicas = typeof plainWithReplicas
type Database = Parameters<PlainWithReplicas>[0]

/** How reads are divided among replicas. */
export interface ReplicaChoice<Q> extends Omit<ReplicaOptions, 'replicas' | 'routeReads'> {
  /** Chooses the replica of a read. Another one takes over if it cannot be used, or lacks the caller's writes. */
  readonly getReplica?: ((replicas: Q[]) => Q) | undefined
}

/** Drizzle's own `withReplicas`, which also takes an object with more options in place of the function. */
export type WithReplicas = <Q extends Database>(
  primary: Q,
  replicas: [Q, ...Q[]],
  choice?: ((replicas: Q[]) => Q) | ReplicaChoice<Q>,
) => ReturnType<PlainWithReplicas> & Q & { $primary: Q; $replicas: Q[] }

interface Guarded {
  readonly $client: { readonly counts?: PoolCounts }
}

/**
 * Returns `withReplicas` for a driver.
 *
 * @param join makes guarded pools a primary and its replicas.
 */
export function makeWithReplicas<Client extends object>(
  join: (primary: Client, replicas: readonly Client[], options: ReplicaOptions) => void,
): WithReplicas {
  return ((primary: Database, replicas: [Database, ...Database[]], choice: unknown = {}) => {
    const { getReplica = leastLoaded, ...options } = (
      typeof choice === 'function' ? { getReplica: choice } : choice
    ) as ReplicaChoice<Database>
    const clients = [primary, ...replicas].map((db) => (db as unknown as { readonly $client: Client }).$client)
    const [first, ...others] = clients
    // A client of the app is not guarded.
    if (first && clients.every((client) => 'snapshot' in client)) join(first, others, options)
    return plainWithReplicas(primary, replicas, getReplica)
  }) as WithReplicas
}

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
