import { stackOf } from './borrower.ts'
import type { TrackedLease } from './lease.ts'
import type { RunningQuery } from './resource-factory.ts'

/** A query that is running. */
export interface QueryReport {
  /** On one line, without the values that stand in it; null where it is not known. */
  readonly text: string | null
  /** At least: since it was seen first. */
  readonly runningMillis: number
}

/** One lease that is out, for reports of leaks, deadlocks and timeouts. */
export interface LeaseReport {
  readonly heldMillis: number
  /** Since something moved on it last. */
  readonly quietMillis: number
  /** The query whose answer is awaited. */
  readonly query?: QueryReport
  /** Where it was borrowed, a frame a line; null where stacks are not captured. */
  readonly stack: string | null
}

export function reportLease<R>(lease: TrackedLease<R>, now: number): LeaseReport {
  return {
    heldMillis: now - lease.since,
    quietMillis: now - lease.quietSince,
    ...(lease.runningQuery && { query: reportQuery(lease.runningQuery, lease.queryingSince, now) }),
    stack: stackOf(lease.borrower),
  }
}

export function reportQuery(query: RunningQuery, since: number, now: number): QueryReport {
  return { text: query.describe(), runningMillis: now - since }
}
