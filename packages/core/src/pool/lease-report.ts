import { stackOf } from './borrower.ts'
import type { PoolEntry } from './entry.ts'
import type { Lease } from './lease.ts'

/** One lease that is out, for reports of leaks, deadlocks and timeouts. */
export interface LeaseReport {
  readonly heldMillis: number
  /** Since something was done on it last. */
  readonly quietMillis: number
  /** Where it was borrowed, a frame a line; null where stacks are not captured. */
  readonly stack: string | null
}

export function reportLease<R>(entry: PoolEntry<R>, lease: Lease<R>, now: number): LeaseReport {
  return {
    heldMillis: now - lease.since,
    quietMillis: now - entry.quietSince,
    stack: stackOf(lease.borrower),
  }
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
