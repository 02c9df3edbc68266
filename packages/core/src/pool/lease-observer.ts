import type { CallerObserver } from './borrower.ts'
import type { TrackedLease } from './lease.ts'

/** Follows the leases of a pool. Leases that the pool acquires for itself are not reported. */
export interface LeaseObserver<R> extends CallerObserver {
  begin(lease: TrackedLease<R>): void
  end(lease: TrackedLease<R>, now: number): void
  /** For errors of callers that waited; undefined if connections mostly run statements. */
  waste(): PoolWaste | undefined
}

/** Connections that are in use without running statements. */
export interface PoolWaste {
  /** The part of the time of all leases in which no statement ran. */
  readonly unusedShare: number
  /** The code that holds most of it, in a paragraph. */
  readonly text: string
}
