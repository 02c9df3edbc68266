import type { LabelledRun } from './caller-context.ts'
import type { TrackedLease } from './lease.ts'

/** Follows the leases of a pool. Leases that the pool acquires for itself are not reported. */
export interface LeaseObserver<R> {
  /** False: it need not be asked for callers without a label. Read at every acquire. */
  readonly wantsUnlabelled: boolean
  /**
   * A caller asks for a lease. Returns true if the pool should capture the caller's stack.
   *
   * @param run the caller's request or job, if it has a label.
   */
  asks(run: LabelledRun | undefined, now: number): boolean
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
