import type { Borrower } from './borrower.ts'
import type { Lease } from './lease.ts'

/** One caller who waits for a lease. */
export class Waiter<R> {
  readonly since: number
  readonly deadline: number
  readonly resolve: (lease: Lease<R>) => void
  readonly reject: (error: unknown) => void
  readonly borrower: Borrower | undefined
  /** The pool itself waits, and no caller. */
  readonly isInternal: boolean
  /** What the clock's `blockedMillis` was when it began to wait. */
  readonly blockedBefore: number
  /** Links of the queue it stands in; `queued` is false as soon as it has left. */
  previous: Waiter<R> | undefined
  next: Waiter<R> | undefined
  queued = false

  constructor(
    since: number,
    deadline: number,
    { resolve, reject }: { resolve: (lease: Lease<R>) => void; reject: (error: unknown) => void },
    borrower?: Borrower,
    { isInternal = false, blockedBefore = 0 }: { readonly isInternal?: boolean; readonly blockedBefore?: number } = {},
  ) {
    this.since = since
    this.deadline = deadline
    this.resolve = resolve
    this.reject = reject
    this.borrower = borrower
    this.isInternal = isInternal
    this.blockedBefore = blockedBefore
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

  push(waiter: Waiter<R>): void {
    waiter.previous = this.#tail
    if (this.#tail) this.#tail.next = waiter
    else this.#head = waiter
    this.#tail = waiter
    waiter.queued = true
    this.#size++
  }

  /** Before all others. */
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
  }

  /** Walks from the one who waits longest; the current one may be removed on the way. */
  *[Symbol.iterator](): Generator<Waiter<R>> {
    for (let waiter = this.#head; waiter; ) {
      const next = waiter.next
      yield waiter
      waiter = next
    }
  }
}
