import { type Clock, MAX_TIMER_MILLIS } from '../clock.ts'
import { Alarm } from './alarm.ts'
import type { Borrower } from './borrower.ts'
import { DeadlineExceededError } from './deadline.ts'
import type { Lane } from './lane.ts'
import type { Lease } from './lease.ts'
import type { OverloadPolicy } from './overload-control.ts'
import type { OverloadReason } from './overloaded-error.ts'
import { Waiter, WaiterQueue } from './waiter-queue.ts'

/** Minimum interval between checks for expired deadlines. */
const SWEEP_MILLIS = 10

/**
 * While a caller waits, a timer keeps the process alive. If a caller has a deadline, the timer fires at this interval, which
 * shows how long the event loop was blocked.
 */
const HEARTBEAT_MILLIS = 100

export interface WaitingLineOptions<R> {
  readonly clock: Clock
  readonly policy: OverloadPolicy
  readonly lane: Lane
  /** Called for each waiter whose deadline has passed; it must remove and reject the waiter. */
  readonly onExpired: (waiter: Waiter<R>, now: number) => void
  /** Called for each waiter that is rejected because of an overload; it must remove and reject the waiter. */
  readonly onShed: (waiter: Waiter<R>, reason: OverloadReason, now: number) => void
  /** Called when the last waiter has left. */
  readonly onEmptied: () => void
}

/**
 * A queue of waiters with deadlines. It is first come, first served until the pool is overloaded. During an overload, the policy
 * decides who is served next:
 *
 * - `wait`: the longest waiting caller that has enough time left to use the connection. The others keep their places: they are
 *   served if no other caller waits.
 * - `shed`: the newest caller that has enough time left. Callers that have waited for too long are rejected.
 */
export class WaitingLine<R> extends WaiterQueue<R> {
  readonly #options: WaitingLineOptions<R>
  readonly #deadlines: Alarm
  readonly #heartbeat: Alarm
  #callers = 0

  constructor(options: WaitingLineOptions<R>) {
    super()
    const { clock } = options
    this.#options = options
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
    const { clock, lane } = this.#options
    const { blockedMillis: blockedBefore } = clock
    const waiter = new Waiter(since, deadline, { resolve, reject }, borrower, { isInternal, blockedBefore, lane })
    if (!isInternal) this.#countIn(waiter)
    if (first) this.unshift(waiter)
    else this.push(waiter)
    this.#deadlines.at(this.#dueAt(waiter))
    return { waiter, lease }
  }

  /** Removes and returns the waiter to serve next. */
  override shift(): Waiter<R> | undefined {
    const { first } = this
    if (!first) return undefined
    const { clock, lane } = this.#options
    const now = clock.now()
    const isOverloaded = lane.overload.isOverloaded(now - clock.blockedMillis)
    // The pool's own waits do not take part in the order of an overload.
    const waiter = isOverloaded && !first.isInternal ? this.#nextInOverload(now) : first
    if (waiter) this.remove(waiter)
    return waiter
  }

  override remove(waiter: Waiter<R>): void {
    if (!waiter.queued) return
    super.remove(waiter)
    if (!waiter.isInternal && --this.#callers === 0) {
      this.#heartbeat.stop()
      this.#options.lane.overload.stop()
    }
    if (this.size > 0) return
    // The next waiter's deadline gets a new timer, so that its delay shows a blocked event loop.
    this.#deadlines.stop()
    this.#options.onEmptied()
  }

  /** Removes and rejects a waiter when the signal is aborted. */
  leaveOnAbort(waiter: Waiter<R>, lease: Promise<Lease<R>>, signal: AbortSignal): Promise<Lease<R>> {
    const abort = () => {
      // The same timeout as the waiter's own deadline, which is due at the same time: the error describes the pool.
      if (signal.reason instanceof DeadlineExceededError) {
        this.#options.onExpired(waiter, this.#options.clock.now())
        return
      }
      this.remove(waiter)
      waiter.reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    // Not when the promise settles: a caller that is served on another caller's connection never gets a lease.
    waiter.endAbortWatch = () => signal.removeEventListener('abort', abort)
    return lease
  }

  rejectAll(makeError: () => Error): void {
    for (let waiter = super.shift(); waiter; waiter = super.shift()) waiter.reject(makeError())
  }

  /** Rejects the waits of the pool itself. */
  rejectInternal(makeError: () => Error): void {
    for (const waiter of [...this].filter(({ isInternal }) => isInternal)) {
      this.remove(waiter)
      waiter.reject(makeError())
    }
  }

  #countIn(waiter: Waiter<R>): void {
    const { policy, lane } = this.#options
    const { overload } = lane
    const { since, deadline, blockedBefore } = waiter
    const time = since - blockedBefore
    if (this.#callers++ === 0) overload.begin(time)
    if (policy === 'shed')
      waiter.patienceMillis = overload.isOverloaded(time) ? overload.patienceMillis : overload.intervalMillis
    this.#heartbeat.at(since + (deadline === Infinity ? MAX_TIMER_MILLIS : HEARTBEAT_MILLIS))
  }

  #nextInOverload(now: number): Waiter<R> | undefined {
    const marginMillis = this.#options.lane.overload.marginMillis
    const isInTime = ({ deadline }: Waiter<R>) => deadline - now >= marginMillis
    if (this.#options.policy === 'wait') {
      for (let waiter = this.first; waiter; waiter = waiter.next) if (isInTime(waiter)) return waiter
      return this.first
    }
    for (let waiter = this.last; waiter; waiter = waiter.previous)
      if (!waiter.isInternal && isInTime(waiter)) return waiter
    for (const waiter of [...this])
      if (waiter.queued && !waiter.isInternal) this.#options.onShed(waiter, 'deadline-too-near', now)
    return this.first
  }

  #beat(): void {
    const now = this.#options.clock.now()
    this.#heartbeat.at(now + (this.#hasDeadline() ? HEARTBEAT_MILLIS : MAX_TIMER_MILLIS))
  }

  #hasDeadline(): boolean {
    for (const { isInternal, deadline } of this) if (!isInternal && deadline < Infinity) return true
    return false
  }

  #sweep(): void {
    const { clock, lane, onExpired } = this.#options
    const now = clock.now()
    const isOverloaded = lane.overload.isOverloaded(now - clock.blockedMillis)
    const expired: Waiter<R>[] = []
    const overdue: Waiter<R>[] = []
    let next = Infinity
    for (const waiter of this) {
      const due = this.#dueAt(waiter)
      if (due <= now && isOverloaded && waiter.patienceMillis < Infinity) overdue.push(waiter)
      else if (waiter.deadline <= now) expired.push(waiter)
      else next = Math.min(next, due)
    }
    if (next < Infinity) this.#deadlines.at(Math.max(next, now + SWEEP_MILLIS))
    // The handler of the previous waiter may have served the next one.
    for (const waiter of expired) if (waiter.queued) onExpired(waiter, now)
    for (const waiter of overdue) if (waiter.queued) this.#shed(waiter, now)
  }

  #shed(waiter: Waiter<R>, now: number): void {
    const waitedTooLong = this.#patienceEnd(waiter) <= now
    this.#options.onShed(waiter, waitedTooLong ? 'waited-too-long' : 'deadline-too-near', now)
  }

  /** When a waiter has to be checked: at its deadline or, if it may be rejected before, as soon as it may be. */
  #dueAt(waiter: Waiter<R>): number {
    if (waiter.patienceMillis === Infinity) return waiter.deadline
    return Math.min(waiter.deadline - this.#options.lane.overload.marginMillis, this.#patienceEnd(waiter))
  }

  /** A blocked event loop does not count as waiting for the database. */
  #patienceEnd({ since, patienceMillis, blockedBefore }: Waiter<R>): number {
    return since + patienceMillis + this.#options.clock.blockedMillis - blockedBefore
  }
}
