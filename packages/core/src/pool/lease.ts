import type { Borrower } from './borrower.ts'
import type { Lane } from './lane.ts'
import type { LeaseActivity, RunningQuery } from './resource-factory.ts'

/** A lease of any pool, with the data that leak detection and reports need. */
export class TrackedLease<R> {
  readonly resource: R
  /** When it began, by the pool's clock, in milliseconds. */
  readonly since: number
  /** @internal Undefined unless stacks are captured, or it was acquired under a label or in a scope. */
  readonly borrower: Borrower | undefined
  /** @internal The pool acquired it for itself, for example for discovery: no statistic counts it. */
  readonly isInternal: boolean
  /** @internal The lane of its caller; undefined in a pool that poolguard does not run. */
  readonly lane: Lane | undefined
  /** @internal It has been reported as a suspected leak. */
  suspected = false
  /** @internal When it ended, by the pool's clock, in milliseconds; NaN while it lasts. */
  endedAt: number = Number.NaN
  /** @internal When the last activity was seen. */
  quietSince: number
  /** @internal The activity that was seen last. */
  activity: LeaseActivity = 0
  /** @internal The query that was seen last. */
  runningQuery: RunningQuery | undefined
  /** @internal When that query was seen first. */
  queryingSince = 0
  /** @internal That query has been reported as a long one. */
  longQueryReported = false

  constructor(resource: R, since: number, borrower: Borrower | undefined, isInternal = false, lane?: Lane) {
    this.resource = resource
    this.since = since
    this.quietSince = since
    this.borrower = borrower
    this.isInternal = isInternal
    this.lane = lane
  }
}

/** The pool of a lease. */
export interface Lender<R> {
  reclaim(entry: PoolEntry<R>): void
  reclaimUnfit(entry: PoolEntry<R>): void
  passOn(entry: PoolEntry<R>, lease: Lease<R>, waitedMillis: number, borrower: Borrower | undefined): Lease<R>
  isLasting(entry: PoolEntry<R>): boolean
}

/** One checkout of one resource. After `release()` or `destroy()`, further calls do nothing. */
export class Lease<R> extends TrackedLease<R> {
  /** @internal */
  declare readonly lane: Lane
  readonly #lender: Lender<R>
  readonly #entry: PoolEntry<R>

  constructor(
    lender: Lender<R>,
    entry: PoolEntry<R>,
    since: number,
    borrower: Borrower | undefined,
    isInternal: boolean,
    lane: Lane,
  ) {
    super(entry.resource, since, borrower, isInternal, lane)
    this.#lender = lender
    this.#entry = entry
  }

  /** False after a release, a destroy, or the loss of the connection. */
  get active(): boolean {
    return this.#entry.lease === this
  }

  /** Returns the resource to the pool. */
  release(): void {
    if (this.active) this.#lender.reclaim(this.#entry)
  }

  /**
   * Ends this lease and begins the next one on the same resource, for a caller whose work has been waiting there. Returns undefined
   * if this lease has ended already.
   */
  passOn(waitedMillis: number, borrower: Borrower | undefined): Lease<R> | undefined {
    return this.active ? this.#lender.passOn(this.#entry, this, waitedMillis, borrower) : undefined
  }

  /** Whether the pool will lend the resource again after this lease. */
  get isLasting(): boolean {
    return this.active && this.#lender.isLasting(this.#entry)
  }

  /** Returns the resource to the pool, which closes it instead of lending it again. */
  destroy(): void {
    if (this.active) this.#lender.reclaimUnfit(this.#entry)
  }
}

/**
 * The states of an open resource:
 *
 * - `idle`: can be lent.
 * - `leased`: a caller has it.
 * - `validating`: on its way between the two; it is new, being validated before it is lent, or being reset after its release.
 * - `closing`: is not lent any more. It takes a slot until the server has let go of it.
 */
export type EntryState = 'idle' | 'leased' | 'validating' | 'closing'

/** One open resource and its state in the pool. */
export class PoolEntry<R> {
  readonly resource: R
  readonly openedAt: number
  readonly expiresAt: number
  /** Changed by `PoolEntries` only. */
  state: EntryState = 'validating'
  /** How many resources of the pool had been lost when this one was opened, or last answered. */
  lossesWhenProven = 0
  /** A validation that takes long: waiters no longer count on it. */
  isSlow = false
  /** The current lease; undefined in every state but `leased`. */
  lease: Lease<R> | undefined
  /** It is not lent again. */
  isRetired = false
  uses = 0
  idleSince = 0

  constructor(resource: R, openedAt: number, expiresAt: number) {
    this.resource = resource
    this.openedAt = openedAt
    this.expiresAt = expiresAt
  }
}
