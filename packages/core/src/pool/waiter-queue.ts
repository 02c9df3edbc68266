import type { Borrower } from './borrower.ts'
import type { Joiner } from './joiner.ts'
import type { Lane } from './lane.ts'
import type { Lease } from './lease.ts'

interface WaiterOptions {
  readonly isInternal?: boolean
  readonly blockedBefore?: number
  readonly lane: Lane
}

/** One caller that waits for a lease. */
export class Waiter<R> {
  readonly since: number
  readonly deadline: number
  readonly resolve: (lease: Lease<R>) => void
  readonly reject: (error: unknown) => void
  readonly borrower: Borrower | undefined
  /** True if the pool itself waits, not a caller. */
  readonly isInternal: boolean
  /** The clock's `blockedMillis` at the beginning of the wait. */
  readonly blockedBefore: number
  readonly lane: Lane
  /** Set if the caller may also be served without a lease of its own. */
  joiner: Joiner | undefined = undefined
  /** Removes the listener of its caller's signal; called when it leaves the queue. */
  endAbortWatch: (() => void) | undefined = undefined
  /** How long it may wait during an overload; the waiting line of a pool that sheds load sets it. */
  patienceMillis: number = Infinity
  /** Links of the queue; `queued` is false after the waiter has left. */
  previous: Waiter<R> | undefined
  next: Waiter<R> | undefined
  queued = false

  constructor(
    since: number,
    deadline: number,
    { resolve, reject }: { resolve: (lease: Lease<R>) => void; reject: (error: unknown) => void },
    borrower: Borrower | undefined,
    { lane, isInternal = false, blockedBefore = 0 }: WaiterOptions,
  ) {
    this.since = since
    this.deadline = deadline
    this.resolve = resolve
    this.reject = reject
    this.borrower = borrower
    this.isInternal = isInternal
    this.blockedBefore = blockedBefore
    this.lane = lane
  }
}

/** First in, first out, with removal from anywhere in constant time. */
export class WaiterQueue<R> implements Iterable<Waiter<R>> {
  #head: Waiter<R> | undefined
  #tail: Waiter<R> | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The waiter at the front. */
  get first(): Waiter<R> | undefined {
    return this.#head
  }

  /** The waiter at the end. */
  get last(): Waiter<R> | undefined {
    return this.#tail
  }

  push(waiter: Waiter<R>): void {
    waiter.previous = this.#tail
    if (this.#tail) this.#tail.next = waiter
    else this.#head = waiter
    this.#tail = waiter
    waiter.queued = true
    this.#size++
  }

  /** Adds a waiter ahead of all others. */
  unshift(waiter: Waiter<R>): void {
    waiter.next = this.#head
    if (this.#head) this.#head.previous = waiter
    else this.#tail = waiter
    this.#head = waiter
    waiter.queued = true
    this.#size++
  }

  shift(): Waiter<R> | undefined {
    const waiter = this.#head
    if (waiter) this.remove(waiter)
    return waiter
  }

  /** Does nothing for a waiter that has left already. */
  remove(waiter: Waiter<R>): void {
    if (!waiter.queued) return
    const { previous, next } = waiter
    if (previous) previous.next = next
    else this.#head = next
    if (next) next.previous = previous
    else this.#tail = previous
    waiter.previous = undefined
    waiter.next = undefined
    waiter.queued = false
    this.#size--
    waiter.endAbortWatch?.()
  }

  /** Iterates from the longest wait to the shortest; the current waiter may be removed meanwhile. */
  *[Symbol.iterator](): Generator<Waiter<R>> {
    for (let waiter = this.#head; waiter; ) {
      const next = waiter.next
      yield waiter
      waiter = next
    }
  }
}
