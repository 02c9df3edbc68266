import type { Clock } from '../clock.ts'
import type { Borrower } from './borrower.ts'
import { AcquireTimeoutError, PoolSaturatedError, type PoolState } from './errors.ts'
import type { Joiner } from './joiner.ts'
import type { Lane } from './lane.ts'
import type { Lease } from './lease.ts'
import type { LeaseReport } from './lease-report.ts'
import type { Limits } from './limits.ts'
import { type OverloadReason, PoolOverloadedError } from './overloaded-error.ts'
import type { PoolEvent } from './pool-events.ts'
import type { AcquireOptions } from './pool-options.ts'
import type { WaitSpan } from './wait-span.ts'
import type { Waiter } from './waiter-queue.ts'
import { WaitingLine } from './waiting-line.ts'

/** Waiters without a deadline are rejected after this long while no connection can be opened. */
const UNREACHABLE_LIMIT_MILLIS = 10_000

export interface CallersOptions {
  readonly clock: Clock
  readonly limits: Limits
  readonly lane: Lane
  /** How many connections more the callers may have now. */
  readonly room: () => number
  /** The pool's state for errors; by default with its oldest leases. */
  readonly describe: (oldestLeases?: readonly LeaseReport[]) => PoolState
  readonly emit: (event: PoolEvent) => void
  /** Called when the last waiter has left. */
  readonly onEmptied: () => void
}

/** A request that has to wait. */
export interface WaitRequest {
  readonly now: number
  readonly deadline: number
  readonly borrower: Borrower | undefined
  readonly signal: AbortSignal | undefined
  readonly internal: AcquireOptions['internal']
  readonly joiner: Joiner | undefined
}

/** The callers of a lane that wait for a connection, and those that the pool rejects: at their deadline, or because too many callers arrive. */
export class Callers<R> {
  readonly line: WaitingLine<R>
  readonly lane: Lane
  readonly counters = { timeouts: 0, saturated: 0, shed: { 'waited-too-long': 0, 'deadline-too-near': 0 } }
  readonly #options: CallersOptions

  constructor(options: CallersOptions) {
    const { clock, limits, lane, onEmptied } = options
    this.#options = options
    this.lane = lane
    this.line = new WaitingLine({
      clock,
      policy: limits.settings.overload,
      lane,
      onExpired: (waiter, now) => this.#timeOut(waiter, now),
      onShed: (waiter, reason, now) => this.#shed(waiter, reason, now),
      onEmptied,
    })
  }

  join({ now, deadline, borrower, internal }: WaitRequest): { waiter: Waiter<R>; lease: Promise<Lease<R>> } {
    const first = internal === 'first' || internal === 'overflow'
    return this.line.join(now, deadline, borrower, { first, isInternal: internal !== undefined })
  }

  /** Settles the wait of a caller that got no connection immediately. */
  keepWaiting(
    waiter: Waiter<R>,
    lease: Promise<Lease<R>>,
    { joiner, signal }: WaitRequest,
    span: WaitSpan | undefined,
  ): Promise<Lease<R>> {
    if (joiner) {
      waiter.joiner = joiner
      joiner.onWait(() => this.#withdraw(waiter, span))
    }
    const wait = signal ? this.line.leaveOnAbort(waiter, lease, signal) : lease
    return span ? span.endWith(wait) : wait
  }

  #withdraw(waiter: Waiter<R>, span: WaitSpan | undefined): boolean {
    if (!waiter.queued) return false
    this.line.remove(waiter)
    span?.end()
    return true
  }

  get isSaturated(): boolean {
    const { limits, room } = this.#options
    return this.line.callers >= limits.settings.maxWaiters + room()
  }

  get isOverloaded(): boolean {
    return this.lane.overload.isOverloaded(this.#awakeTime)
  }

  get retryAfterMillis(): number {
    return this.lane.overload.retryAfterMillis(this.#awakeTime)
  }

  /** When the caller that waits longest for a connection of its own began to wait; Infinity if there is none. */
  get exclusiveSince(): number {
    for (const { joiner, since } of this.line) if (!joiner?.mayJoin) return since
    return Infinity
  }

  /** With more connections, the queue may empty now. */
  onGrown(): void {
    if (this.line.callers > 0) this.lane.overload.restart(this.#awakeTime)
  }

  rejectSaturated(): Promise<never> {
    const { limits, describe, emit } = this.#options
    this.counters.saturated++
    const error = new PoolSaturatedError(describe(), limits.settings.maxWaiters, this.retryAfterMillis)
    emit({ type: 'saturated', error })
    return Promise.reject(error)
  }

  /** A caller without a deadline must not wait for a server that may never come back. */
  rejectUnbounded(): void {
    const now = this.#options.clock.now()
    const unbounded = [...this.line].filter(
      (each) => each.deadline === Infinity && now - each.since >= UNREACHABLE_LIMIT_MILLIS,
    )
    for (const waiter of unbounded) if (waiter.queued) this.#timeOut(waiter, now)
  }

  #timeOut(waiter: Waiter<R>, now: number): void {
    const { clock, describe, emit } = this.#options
    const error = new AcquireTimeoutError(now - waiter.since, describe(), clock.blockedMillis - waiter.blockedBefore)
    this.line.remove(waiter)
    this.counters.timeouts++
    emit({ type: 'timeout', error })
    waiter.reject(error)
  }

  #shed(waiter: Waiter<R>, reason: OverloadReason, now: number): void {
    const { describe, emit } = this.#options
    const error = new PoolOverloadedError({
      reason,
      waitedMillis: now - waiter.since,
      serviceMillis: this.lane.overload.serviceMillis,
      retryAfterMillis: this.retryAfterMillis,
      // Thousands of these errors may be created in a second, and finding the oldest leases takes longer than the rest.
      pool: describe([]),
    })
    this.line.remove(waiter)
    this.counters.shed[reason]++
    this.lane.overload.onShed(this.#awakeTime)
    emit({ type: 'shed', error })
    waiter.reject(error)
  }

  /** The clock's time without the time in which the event loop was blocked. */
  get #awakeTime(): number {
    const { clock } = this.#options
    return clock.now() - clock.blockedMillis
  }
}
