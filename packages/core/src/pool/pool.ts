import type { PoolSettings } from '../settings/index.ts'
import { Alarm } from './alarm.ts'
import { type Clock, systemClock } from './clock.ts'
import { type ConnectFailure, classifyConnectFailure } from './connect-failure.ts'
import { Connector } from './connector.ts'
import { PoolEntry } from './entry.ts'
import { AcquireTimeoutError, ConnectError, PoolClosedError, PoolSaturatedError, type PoolState } from './errors.ts'
import { Lease, type Lender } from './lease.ts'
import type { CloseReason, PoolEvent, PoolEventListener } from './pool-events.ts'
import type { PoolStats } from './pool-stats.ts'
import type { ResourceFactory } from './resource-factory.ts'
import { Waiter, WaiterQueue } from './waiter-queue.ts'

/** Waiters are looked through for expired deadlines at most this often. */
const SWEEP_MILLIS = 10

/** A connection lives for maxLifetimeMillis less a random part of up to this share, so that a fleet's do not all go at once. */
const LIFETIME_JITTER = 0.1

export interface PoolOptions<R> {
  /** Named in errors. */
  readonly name: string
  readonly settings: PoolSettings
  readonly factory: ResourceFactory<R>
  readonly classify?: (error: unknown) => ConnectFailure
  readonly onEvent?: PoolEventListener | undefined
  readonly clock?: Clock
  /** Between 0 and 1, as Math.random. */
  readonly random?: () => number
}

export interface AcquireOptions {
  /** Instead of the pool's acquireTimeoutMillis. */
  readonly timeoutMillis?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Lends a bounded number of resources: callers are served in the order they came, the resource used last is lent first.
 *
 * An open resource is in one of four hands: idle (in `#idle`), leased (its entry has a lease), settling (being checked or
 * cleaned on its way from one to the other), or closing (counted until the server has let go of it).
 */
export class Pool<R> implements Lender<R> {
  readonly name: string
  readonly #factory: ResourceFactory<R>
  readonly #clock: Clock
  readonly #random: () => number
  readonly #onEvent: PoolEventListener | undefined
  readonly #connector: Connector<R>
  readonly #deadlines: Alarm
  readonly #housekeeping: Alarm
  readonly #waiters = new WaiterQueue<R>()
  /** Idle, leased and settling. */
  readonly #open = new Set<PoolEntry<R>>()
  /** The one used last at the end; so they stand in the order of `idleSince`. */
  readonly #idle: PoolEntry<R>[] = []
  readonly #counters = {
    acquired: 0,
    waitMillis: 0,
    useMillis: 0,
    opened: 0,
    openMillis: 0,
    closed: 0,
    timeouts: 0,
    saturated: 0,
    connectFailures: { full: 0, unavailable: 0, refused: 0 },
  }
  readonly #drained = Promise.withResolvers<void>()
  #settings: PoolSettings
  #settling = 0
  #closing = 0
  #draining = false
  #emptied: (() => void) | undefined

  constructor(options: PoolOptions<R>) {
    this.name = options.name
    this.#settings = options.settings
    this.#factory = options.factory
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? Math.random
    this.#onEvent = options.onEvent
    this.#deadlines = new Alarm(this.#clock, () => this.#expireWaiters(), { background: false })
    this.#housekeeping = new Alarm(this.#clock, () => this.#housekeep(), { background: true })
    this.#connector = new Connector({
      factory: options.factory,
      clock: this.#clock,
      random: this.#random,
      connectTimeoutMillis: () => this.#settings.connectTimeoutMillis,
      classify: options.classify ?? classifyConnectFailure,
      opened: (resource, millis, whenLost) => this.#opened(resource, millis, whenLost),
      failed: (failure, error, retryInMillis) => this.#connectFailed(failure, error, retryInMillis),
      ready: () => this.#serve(),
    })
    this.#serve()
  }

  get settings(): PoolSettings {
    return this.#settings
  }

  /**
   * Borrows a resource.
   *
   * @throws {AcquireTimeoutError} when none came free in time; {@link PoolSaturatedError} at once when maxWaiters wait
   * already; {@link ConnectError} when the server will not have us; {@link PoolClosedError} after `drain`; and the
   * signal's reason when that is aborted.
   * @example
   * const lease = await pool.acquire()
   * try {
   *   await use(lease.resource)
   * } finally {
   *   lease.release()
   * }
   */
  acquire(options: AcquireOptions = {}): Promise<Lease<R>> {
    if (this.#draining) return Promise.reject(new PoolClosedError(this.name))
    const { signal } = options
    if (signal?.aborted) return Promise.reject(signal.reason)
    const now = this.#clock.now()
    const entry = this.#waiters.size === 0 ? this.#takeReady(now) : undefined
    if (entry) return Promise.resolve(this.#lend(entry, now, now))
    if (this.#waiters.size >= this.#settings.maxWaiters + this.#settings.max - this.#active) return this.#turnAway()
    return this.#wait(now, options.timeoutMillis ?? this.#settings.acquireTimeoutMillis, signal)
  }

  /** Changes the bounds. Growing serves waiters at once; shrinking closes idle surplus now, and busy surplus at release. */
  resize(bounds: { readonly min?: number; readonly max?: number }): void {
    const { min = this.#settings.min, max = this.#settings.max } = bounds
    if (min === this.#settings.min && max === this.#settings.max) return
    this.#settings = { ...this.#settings, min, max }
    while (this.#open.size > max && this.#idle.length > 0) this.#close(this.#idle.shift(), 'surplus')
    this.#emit({ type: 'resized', min, max })
    // What min has kept open so far may be overdue now.
    this.#housekeep()
  }

  /**
   * Closes the pool: lends no more, turns waiters away, waits for leases up to drainMillis, and closes what is left.
   * Resolves when the server has let go of every connection. Calling it again gives the same promise.
   */
  drain(): Promise<void> {
    if (!this.#draining) {
      this.#draining = true
      void this.#drain().then(this.#drained.resolve)
    }
    return this.#drained.promise
  }

  stats(): PoolStats {
    const { connectFailures, ...counters } = this.#counters
    const { max, min } = this.#settings
    return {
      max,
      min,
      total: this.#total,
      idle: this.#idle.length,
      active: this.#active,
      connecting: this.#connector.opening,
      closing: this.#closing,
      waiting: this.#waiters.size,
      ...counters,
      connectFailures: { ...connectFailures },
    }
  }

  get #total(): number {
    return this.#open.size + this.#connector.opening + this.#closing
  }

  get #active(): number {
    return this.#open.size - this.#idle.length - this.#settling
  }

  /** @internal A lease comes back. */
  takeBack(entry: PoolEntry<R>): void {
    const now = this.#endLease(entry)
    entry.uses++
    if (this.#draining) this.#close(entry, 'drain')
    else if (entry.uses >= this.#settings.maxUses) this.#close(entry, 'uses')
    else if (entry.expiresAt <= now) this.#close(entry, 'lifetime')
    else {
      const clean = this.#clean(entry)
      if (clean === true) this.#offer(entry, now)
      else if (clean === false) this.#close(entry, 'unfit')
      else void this.#settle(entry, clean)
    }
    this.#serve()
  }

  /** @internal A lease comes back with a resource not fit to be lent again. */
  giveUp(entry: PoolEntry<R>): void {
    this.#endLease(entry)
    this.#close(entry, 'given-up')
    this.#serve()
  }

  #endLease(entry: PoolEntry<R>): number {
    const now = this.#clock.now()
    if (entry.lease) this.#counters.useMillis += now - entry.lease.since
    entry.lease = undefined
    return now
  }

  #lend(entry: PoolEntry<R>, since: number, now: number): Lease<R> {
    this.#counters.acquired++
    this.#counters.waitMillis += now - since
    const lease = new Lease(this, entry, now)
    entry.lease = lease
    return lease
  }

  /** The idle resource used last, where it can be lent as it is. */
  #takeReady(now: number): PoolEntry<R> | undefined {
    const entry = this.#idle.at(-1)
    if (!entry || entry.expiresAt <= now || this.#needsCheck(entry, now)) return undefined
    this.#idle.pop()
    return entry
  }

  #needsCheck(entry: PoolEntry<R>, now: number): boolean {
    return this.#factory.check !== undefined && now - entry.idleSince > this.#settings.validateAfterIdleMillis
  }

  #wait(now: number, timeoutMillis: number, signal: AbortSignal | undefined): Promise<Lease<R>> {
    const { promise, resolve, reject } = Promise.withResolvers<Lease<R>>()
    const waiter = new Waiter(now, now + timeoutMillis, resolve, reject)
    this.#waiters.push(waiter)
    this.#deadlines.at(waiter.deadline)
    this.#serve()
    return signal && waiter.queued ? this.#untilAborted(waiter, promise, signal) : promise
  }

  #untilAborted(waiter: Waiter<R>, promise: Promise<Lease<R>>, signal: AbortSignal): Promise<Lease<R>> {
    const abort = () => {
      if (!waiter.queued) return
      this.#waiters.remove(waiter)
      waiter.reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    return promise.finally(() => signal.removeEventListener('abort', abort))
  }

  #turnAway(): Promise<never> {
    this.#counters.saturated++
    const error = new PoolSaturatedError(this.#state(), this.#settings.maxWaiters)
    this.#emit({ type: 'saturated', error })
    return Promise.reject(error)
  }

  /** Gives what is idle to those who wait, and opens what is missing. */
  #serve(): void {
    if (this.#draining) return
    while (this.#waiters.size > this.#settling) {
      const entry = this.#idle.pop()
      if (!entry) break
      const now = this.#clock.now()
      if (entry.expiresAt <= now) this.#close(entry, 'lifetime')
      else if (this.#needsCheck(entry, now)) void this.#settle(entry, this.#check(entry))
      else this.#offer(entry, now)
    }
    const forWaiters = this.#waiters.size - this.#settling
    const forMin = this.#settings.min - this.#open.size
    while (Math.max(forWaiters, forMin) > this.#connector.opening && this.#total < this.#settings.max) {
      if (!this.#connector.mayOpen({ urgent: forWaiters > 0 })) break
      this.#connector.open()
    }
  }

  // A factory that throws instead of rejecting must not take the pool's bookkeeping with it.

  async #check(entry: PoolEntry<R>): Promise<boolean> {
    return (await this.#factory.check?.(entry.resource)) ?? true
  }

  #clean(entry: PoolEntry<R>): boolean | Promise<boolean> {
    try {
      return this.#factory.clean?.(entry.resource) ?? true
    } catch {
      return false
    }
  }

  async #unmake(entry: PoolEntry<R>): Promise<void> {
    await this.#factory.close(entry.resource)
  }

  /** Waits, but not for ever, for the verdict whether a resource can be lent. */
  async #settle(entry: PoolEntry<R>, verdict: Promise<boolean>): Promise<void> {
    // Asking may have brought to light that it was lost.
    if (!entry.gone) {
      this.#settling++
      entry.settling = true
    }
    const fit = await this.#within(this.#settings.connectTimeoutMillis, verdict, false)
    if (entry.settling) {
      this.#settling--
      entry.settling = false
      if (!fit) this.#close(entry, 'unfit')
      else if (this.#draining) this.#close(entry, 'drain')
      else this.#offer(entry, this.#clock.now())
    }
    this.#serve()
  }

  /** Hands a resource that is fit to whoever waits longest, or lays it aside. */
  #offer(entry: PoolEntry<R>, now: number): void {
    if (entry.gone) return
    if (this.#open.size > this.#settings.max) {
      this.#close(entry, 'surplus')
      return
    }
    const waiter = this.#waiters.shift()
    if (waiter) {
      waiter.resolve(this.#lend(entry, waiter.since, now))
      return
    }
    entry.idleSince = now
    this.#idle.push(entry)
    this.#housekeeping.at(Math.min(now + this.#settings.idleTimeoutMillis, entry.expiresAt))
  }

  #opened(resource: R, millis: number, whenLost: (lost: () => void) => void): void {
    this.#counters.opened++
    this.#counters.openMillis += millis
    const now = this.#clock.now()
    const entry = new PoolEntry<R>(
      resource,
      now + this.#settings.maxLifetimeMillis * (1 - this.#random() * LIFETIME_JITTER),
    )
    this.#open.add(entry)
    this.#emit({ type: 'opened', millis })
    // First of all, so that one which was lost on the way is not lent.
    whenLost(() => this.#lost(entry))
    if (this.#draining) this.#close(entry, 'drain')
    else this.#offer(entry, now)
    this.#serve()
  }

  #connectFailed(failure: ConnectFailure, error: unknown, retryInMillis: number | null): void {
    if (this.#draining) {
      this.#checkEmptied()
      return
    }
    this.#counters.connectFailures[failure]++
    if (failure === 'refused') this.#rejectWaiters(() => new ConnectError(this.name, error))
    this.#emit({ type: 'connect-failed', failure, error, retryInMillis })
    this.#serve()
  }

  /** The connection died. A lease on it ends here: its slot comes back even if the borrower never releases. */
  #lost(entry: PoolEntry<R>): void {
    if (entry.gone) return
    const at = this.#idle.indexOf(entry)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#endLease(entry)
    this.#close(entry, 'lost')
    this.#serve()
  }

  #close(entry: PoolEntry<R> | undefined, reason: CloseReason): void {
    if (!entry || entry.gone) return
    entry.gone = true
    if (entry.settling) this.#settling--
    entry.settling = false
    this.#open.delete(entry)
    this.#closing++
    void this.#within(this.#settings.connectTimeoutMillis, this.#unmake(entry), undefined).then(() => {
      this.#closing--
      this.#counters.closed++
      this.#emit({ type: 'closed', reason })
      this.#checkEmptied()
      this.#serve()
    })
  }

  /** The promise's value; `otherwise` where it rejects or takes longer than `millis`. */
  #within<T>(millis: number, promise: Promise<T>, otherwise: T): Promise<T> {
    return new Promise((resolve) => {
      const cancel = millis === Infinity ? undefined : this.#clock.after(millis, () => resolve(otherwise))
      promise.then(resolve, () => resolve(otherwise)).finally(cancel)
    })
  }

  #expireWaiters(): void {
    const now = this.#clock.now()
    const expired: Waiter<R>[] = []
    let next = Infinity
    for (const waiter of this.#waiters) {
      if (waiter.deadline > now) next = Math.min(next, waiter.deadline)
      else expired.push(waiter)
    }
    if (next < Infinity) this.#deadlines.at(Math.max(next, now + SWEEP_MILLIS))
    // A listener that hears of one may serve others.
    for (const waiter of expired) if (waiter.queued) this.#timeOut(waiter, now)
  }

  #timeOut(waiter: Waiter<R>, now: number): void {
    const error = new AcquireTimeoutError(now - waiter.since, this.#state())
    this.#waiters.remove(waiter)
    this.#counters.timeouts++
    this.#emit({ type: 'timeout', error })
    waiter.reject(error)
  }

  /** Closes what has been idle too long or has reached its age, and finds out when to look again. */
  #housekeep(): void {
    const now = this.#clock.now()
    const { idleTimeoutMillis, min } = this.#settings
    let next = Infinity
    for (const entry of [...this.#idle]) {
      const idleUntil = this.#open.size > min ? entry.idleSince + idleTimeoutMillis : Infinity
      if (Math.min(idleUntil, entry.expiresAt) > now) {
        next = Math.min(next, idleUntil, entry.expiresAt)
        continue
      }
      this.#idle.splice(this.#idle.indexOf(entry), 1)
      this.#close(entry, entry.expiresAt <= now ? 'lifetime' : 'idle')
    }
    this.#housekeeping.at(next)
    this.#serve()
  }

  async #drain(): Promise<void> {
    this.#connector.stop()
    this.#deadlines.stop()
    this.#housekeeping.stop()
    this.#rejectWaiters(() => new PoolClosedError(this.name))
    for (const entry of this.#idle.splice(0)) this.#close(entry, 'drain')
    const { promise: emptied, resolve } = Promise.withResolvers<void>()
    this.#emptied = resolve
    this.#checkEmptied()
    await this.#within(this.#settings.drainMillis, emptied, undefined)
    const forced = this.#open.size
    for (const entry of this.#open) {
      this.#endLease(entry)
      this.#close(entry, 'drain')
    }
    await emptied
    this.#emit({ type: 'drained', forced })
  }

  #checkEmptied(): void {
    if (this.#total === 0) this.#emptied?.()
  }

  #rejectWaiters(makeError: () => Error): void {
    for (let waiter = this.#waiters.shift(); waiter; waiter = this.#waiters.shift()) waiter.reject(makeError())
  }

  #state(): PoolState {
    const { max, total, idle, active, connecting, waiting } = this.stats()
    const now = this.#clock.now()
    let oldestLeaseMillis: number | null = null
    for (const { lease } of this.#open) {
      if (lease) oldestLeaseMillis = Math.max(oldestLeaseMillis ?? 0, now - lease.since)
    }
    const trouble = this.#connector.trouble ?? null
    return { name: this.name, max, total, idle, active, connecting, waiting, oldestLeaseMillis, trouble }
  }

  /** A listener that throws must not take the pool with it: its error surfaces as uncaught, as from node:events. */
  #emit(event: PoolEvent): void {
    if (!this.#onEvent) return
    try {
      this.#onEvent(event)
    } catch (error) {
      process.nextTick(() => {
        throw error
      })
    }
  }
}
