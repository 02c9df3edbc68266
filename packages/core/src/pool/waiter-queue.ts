import { type Clock, MAX_TIMER_MILLIS } from '../clock.ts'
import { Alarm } from './alarm.ts'
import type { Borrower } from './borrower.ts'
import type { Joiner } from './joiner.ts'
import type { Lease } from './lease.ts'

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
  /** Set if the caller may also be served without a lease of its own. */
  joiner: Joiner | undefined = undefined
  /** Links of the queue; `queued` is false after the waiter has left. */
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

/** Minimum interval between checks for expired deadlines. */
const SWEEP_MILLIS = 10

/**
 * While a caller waits, a timer keeps the process alive. If a caller has a deadline, the timer fires at this interval, which
 * shows how long the event loop was blocked.
 */
const HEARTBEAT_MILLIS = 100

/** A first come, first served queue of waiters with deadlines. */
export class WaitingLine<R> extends WaiterQueue<R> {
  readonly #clock: Clock
  readonly #onExpired: (waiter: Waiter<R>, now: number) => void
  readonly #deadlines: Alarm
  readonly #heartbeat: Alarm
  readonly #onEmptied: () => void
  #callers = 0

  /**
   * @param onExpired called for each waiter whose deadline has passed; it must remove and reject the waiter.
   * @param onEmptied called when the last waiter has left.
   */
  constructor(clock: Clock, onExpired: (waiter: Waiter<R>, now: number) => void, onEmptied: () => void) {
    super()
    this.#clock = clock
    this.#onExpired = onExpired
    this.#onEmptied = onEmptied
    this.#deadlines = new Alarm(clock, () => this.#sweep(), { background: true })
    this.#heartbeat = new Alarm(clock, () => this.#beat(), { background: false })
  }

  /** Waiting callers, without waits of the pool itself. */
  get callers(): number {
    return this.#callers
  }

  /** Adds a waiter at the end, or at the front with `first`. Returns it and the promise of its lease. */
  join(
    since: number,
    deadline: number,
    borrower: Borrower | undefined,
    { first = false, isInternal = false }: { readonly first?: boolean; readonly isInternal?: boolean } = {},
  ): { waiter: Waiter<R>; lease: Promise<Lease<R>> } {
    const { promise: lease, resolve, reject } = Promise.withResolvers<Lease<R>>()
    const { blockedMillis: blockedBefore } = this.#clock
    const waiter = new Waiter(since, deadline, { resolve, reject }, borrower, { isInternal, blockedBefore })
    if (first) this.unshift(waiter)
    else this.push(waiter)
    this.#deadlines.at(deadline)
    if (!isInternal) {
      this.#callers++
      this.#heartbeat.at(since + (deadline === Infinity ? MAX_TIMER_MILLIS : HEARTBEAT_MILLIS))
    }
    return { waiter, lease }
  }

  override remove(waiter: Waiter<R>): void {
    if (!waiter.queued) return
    super.remove(waiter)
    if (!waiter.isInternal && --this.#callers === 0) this.#heartbeat.stop()
    if (this.size > 0) return
    // The next waiter's deadline gets a new timer, so that its delay shows a blocked event loop.
    this.#deadlines.stop()
    this.#onEmptied()
  }

  /** Removes and rejects a waiter when the signal is aborted. */
  leaveOnAbort(waiter: Waiter<R>, lease: Promise<Lease<R>>, signal: AbortSignal): Promise<Lease<R>> {
    const abort = () => {
      if (!waiter.queued) return
      this.remove(waiter)
      waiter.reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    return lease.finally(() => signal.removeEventListener('abort', abort))
  }

  rejectAll(makeError: () => Error): void {
    for (let waiter = this.shift(); waiter; waiter = this.shift()) waiter.reject(makeError())
  }

  /** Rejects the waits of the pool itself. */
  rejectInternal(makeError: () => Error): void {
    for (const waiter of [...this].filter(({ isInternal }) => isInternal)) {
      this.remove(waiter)
      waiter.reject(makeError())
    }
  }

  #beat(): void {
    const now = this.#clock.now()
    this.#heartbeat.at(now + (this.#hasDeadline() ? HEARTBEAT_MILLIS : MAX_TIMER_MILLIS))
  }

  #hasDeadline(): boolean {
    for (const { isInternal, deadline } of this) if (!isInternal && deadline < Infinity) return true
    return false
  }

  #sweep(): void {
    const now = this.#clock.now()
    const expired: Waiter<R>[] = []
    let next = Infinity
    for (const waiter of this) {
      if (waiter.deadline > now) next = Math.min(next, waiter.deadline)
      else expired.push(waiter)
    }
    if (next < Infinity) this.#deadlines.at(Math.max(next, now + SWEEP_MILLIS))
    // The handler of the previous waiter may have served the next one.
    for (const waiter of expired) if (waiter.queued) this.#onExpired(waiter, now)
  }
}
