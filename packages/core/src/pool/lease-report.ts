import { labelOf, stackOf } from './borrower.ts'
import type { TrackedLease } from './lease.ts'
import type { RunningQuery } from './resource-factory.ts'

/** A query that is running. */
export interface QueryReport {
  /** On one line, without literal values; null if unknown. */
  readonly text: string | null
  /** Measured since the query was first seen, so a lower bound. */
  readonly runningMillis: number
}

/** A current lease, for reports of leaks, deadlocks and timeouts. */
export interface LeaseReport {
  /** The route or job that acquired it, see {@link runWithLabel}; null if it has no label. */
  readonly label: string | null
  readonly heldMillis: number
  /** Time since the last activity. */
  readonly quietMillis: number
  /** The running query. */
  readonly query?: QueryReport
  /** The stack of its acquire, one frame per line; null if stacks are not captured. */
  readonly stack: string | null
}

export function reportLease<R>(lease: TrackedLease<R>, now: number): LeaseReport {
  return {
    label: labelOf(lease.borrower),
    heldMillis: now - lease.since,
    quietMillis: now - lease.quietSince,
    ...(lease.runningQuery && { query: reportQuery(lease.runningQuery, lease.queryingSince, now) }),
    stack: stackOf(lease.borrower),
  }
}

export function reportQuery(query: RunningQuery, since: number, now: number): QueryReport {
  return { text: query.describe(), runningMillis: now - since }
}
