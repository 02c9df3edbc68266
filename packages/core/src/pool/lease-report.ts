import { stackOf } from './borrower.ts'
import type { PoolEntry } from './entry.ts'
import type { Lease } from './lease.ts'
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

export function reportLease<R>(entry: PoolEntry<R>, lease: Lease<R>, now: number): LeaseReport {
  return {
    heldMillis: now - lease.since,
    quietMillis: now - entry.quietSince,
    ...(entry.runningQuery && { query: reportQuery(entry.runningQuery, entry.queryingSince, now) }),
    stack: stackOf(lease.borrower),
  }
}

export function reportQuery(query: RunningQuery, since: number, now: number): QueryReport {
  return { text: query.describe(), runningMillis: now - since }
}

/** What the callers' leases that are out come to: their times in milliseconds, and how many are suspected to be leaks. */
export function sumLeases<R>(
  entries: Iterable<PoolEntry<R>>,
  now: number,
): { sum: number; longest: number; suspected: number } {
  let sum = 0
  let longest = 0
  let suspected = 0
  for (const { lease } of entries) {
    if (!lease || lease.own) continue
    sum += now - lease.since
    longest = Math.max(longest, now - lease.since)
    if (lease.suspected) suspected++
  }
  return { sum, longest, suspected }
}
