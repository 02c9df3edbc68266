import { labelOf } from './borrower.ts'
import type { Lane } from './lane.ts'
import type { TrackedLease } from './lease.ts'
import { type LeaseReport, reportLease } from './lease-report.ts'
import type { Waiter } from './waiter-queue.ts'

/** A connection in use. */
export interface BorrowedConnection extends LeaseReport, SessionReport {
  /** Stays the same until the connection is released, and is unique in its pool. */
  readonly id: number
  /** Whether it has been reported as a suspected leak. */
  readonly suspected: boolean
  /** Null in a pool without lanes. */
  readonly lane: string | null
}

/** What is known about the session of a connection. */
export interface SessionReport {
  readonly inTransaction: boolean
  /** The statement that was answered last for this caller, without literal values; null if there is none, or it is unknown. */
  readonly lastStatement: string | null
}

/** A caller that waits for a connection. */
export interface WaitingCaller {
  /** Its route or job; null if it has no label. */
  readonly label: string | null
  /** Null in a pool without lanes. */
  readonly lane: string | null
  readonly waitedMillis: number
}

/** The callers of a pool at one moment. */
export interface PoolCallers {
  /** Those that have a connection, the one that has had it for longest first. */
  readonly borrowed: readonly BorrowedConnection[]
  /** Those that wait for one, the one that has waited for longest first. */
  readonly waiting: readonly WaitingCaller[]
}

const ids = new WeakMap<object, number>()
let lastId = 0

/** Reports at most `limit` leases and waiters. Leases and waits of the pool itself are left out. */
export function reportCallers<R>(
  leases: Iterable<TrackedLease<R>>,
  waiters: Iterable<Waiter<R>>,
  options: { readonly now: number; readonly limit: number; readonly sessionOf: (resource: R) => SessionReport },
): PoolCallers {
  const { now, limit, sessionOf } = options
  const borrowed = oldest(leases, limit).map((lease) => ({
    ...reportLease(lease, now),
    ...sessionOf(lease.resource),
    id: idOf(lease),
    suspected: lease.suspected,
    lane: nameOf(lease.lane),
  }))
  const waiting = oldest(waiters, limit).map(({ borrower, since, lane }) => ({
    label: labelOf(borrower),
    lane: nameOf(lane),
    waitedMillis: now - since,
  }))
  return { borrowed, waiting }
}

function nameOf(lane: Lane | undefined): string | null {
  return lane?.hasQuota ? lane.name : null
}

function oldest<T extends { readonly isInternal: boolean; readonly since: number }>(
  all: Iterable<T>,
  limit: number,
): readonly T[] {
  return Array.from(all)
    .filter(({ isInternal }) => !isInternal)
    .sort((a, b) => a.since - b.since)
    .slice(0, limit)
}

/** Only leases that are shown need a number. */
function idOf(lease: object): number {
  const id = ids.get(lease) ?? ++lastId
  ids.set(lease, id)
  return id
}
