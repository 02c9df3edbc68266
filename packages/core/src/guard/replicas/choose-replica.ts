import { covers, isComparable, type WalPosition } from './wal-position.ts'

/** Whether a replica is used, and why not. */
export type ReplicaState = 'unknown' | 'usable' | 'lagging' | 'down' | 'promoted'

/** What the choice among replicas depends on. */
export interface Candidate {
  readonly state: ReplicaState
  /** Undefined if the server does not tell, and behind a pooler, where another server may answer next. */
  readonly position: WalPosition | undefined
  readonly waiting: number
  /** The share of its connections in use. */
  readonly activeShare: number
}

export interface Choice<E> {
  /** Undefined if none can be used now. */
  readonly chosen: E | undefined
  /** Replicas that can be used, but have not replayed the needed position yet. */
  readonly behind: readonly E[]
}

/**
 * Chooses a replica: one that has replayed the needed position; among these the preferred one, else the one with the fewest waiters, else the one
 * with the smallest share of its connections in use.
 *
 * @param endpoints in the order in which equal ones are chosen.
 */
export function chooseReplica<E extends Candidate>(
  endpoints: readonly E[],
  { needed, preferred }: { readonly needed?: WalPosition | undefined; readonly preferred?: E | undefined },
): Choice<E> {
  const usable = endpoints.filter(({ state }) => state === 'usable')
  const suitable = needed ? usable.filter(({ position }) => covers(position, needed)) : usable
  const isPreferred = preferred !== undefined && suitable.includes(preferred)
  const chosen = isPreferred ? preferred : suitable.reduce<E | undefined>(lessLoaded, undefined)
  const behind = needed ? usable.filter(({ position }) => position && isComparable(position, needed)) : []
  return { chosen, behind: chosen ? [] : behind }
}

function lessLoaded<E extends Candidate>(best: E | undefined, each: E): E {
  if (!best) return each
  if (each.waiting !== best.waiting) return each.waiting < best.waiting ? each : best
  return each.activeShare < best.activeShare ? each : best
}
