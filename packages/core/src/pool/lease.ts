import type { Borrower } from './borrower.ts'
import type { PoolEntry } from './entry.ts'

/** What a lease needs from the pool that gave it. */
export interface Lender<R> {
  takeBack(entry: PoolEntry<R>): void
  giveUp(entry: PoolEntry<R>): void
}

/** One checkout of one resource. After `release` or `destroy` it is spent: calling either again does nothing. */
export class Lease<R> {
  readonly #lender: Lender<R>
  readonly #entry: PoolEntry<R>
  /** When it was lent, by the pool's clock, in milliseconds. */
  readonly since: number
  /** @internal Undefined unless stacks are captured or it was borrowed in a scope. */
  readonly borrower: Borrower | undefined
  /** @internal The pool's own, for a look at the database: no figure counts it. */
  readonly own: boolean
  /** @internal It has been reported as a leak. */
  suspected = false
  /** @internal When it ended, by the pool's clock, in milliseconds; NaN while it is held. */
  endedAt: number = Number.NaN

  constructor(lender: Lender<R>, entry: PoolEntry<R>, since: number, borrower: Borrower | undefined, own = false) {
    this.#lender = lender
    this.#entry = entry
    this.since = since
    this.borrower = borrower
    this.own = own
  }

  get resource(): R {
    return this.#entry.resource
  }

  /** False once it was released or destroyed, or the pool has taken it back because its connection died. */
  get held(): boolean {
    return this.#entry.lease === this
  }

  /** Gives the resource back to the pool. */
  release(): void {
    if (this.held) this.#lender.takeBack(this.#entry)
  }

  /** Gives up the resource: it is closed and not lent again. */
  destroy(): void {
    if (this.held) this.#lender.giveUp(this.#entry)
  }
}
