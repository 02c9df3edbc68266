import type { Clock } from '../clock.ts'
import { Alarm } from './alarm.ts'
import type { Borrower } from './borrower.ts'
import type { Lease } from './lease.ts'
import { Waiter, WaiterQueue } from './waiter-queue.ts'

/** The waiters are looked through for expired deadlines at most this often. */
const SWEEP_MILLIS = 10

/** Those who wait, first come first served, each until its deadline; one timer serves them all. */
export class WaitingLine<R> extends WaiterQueue<R> {
  readonly #clock: Clock
  readonly #expired: (waiter: Waiter<R>, now: number) => void
  readonly #deadlines: Alarm

  /** @param expired is told of each whose time is over; it must remove and reject it. */
  constructor(clock: Clock, expired: (waiter: Waiter<R>, now: number) => void) {
    super()
    this.#clock = clock
    this.#expired = expired
    this.#deadlines = new Alarm(clock, () => this.#sweep(), { background: true })
  }

  /** Lines up, or goes before the `first` one; the promise is that of the lease. */
  join(
    since: number,
    deadline: number,
    borrower: Borrower | undefined,
    { first = false }: { readonly first?: boolean } = {},
  ): { waiter: Waiter<R>; lease: Promise<Lease<R>> } {
    const { promise: lease, resolve, reject } = Promise.withResolvers<Lease<R>>()
    const waiter = new Waiter(since, deadline, { resolve, reject }, borrower)
    if (first) this.unshift(waiter)
    else this.push(waiter)
    this.#deadlines.at(deadline)
    return { waiter, lease }
  }

  /** Lets a waiter go when the signal is aborted. */
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

  stop(): void {
    this.#deadlines.stop()
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
    // Whoever heard of the one before may have served the next.
    for (const waiter of expired) if (waiter.queued) this.#expired(waiter, now)
  }
}
