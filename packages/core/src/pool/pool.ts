import { type Clock, systemClock } from '../clock.ts'
import { Alarm } from './alarm.ts'
import { type Borrower, type BorrowerTraces, traceAwaiting } from './borrower.ts'
import { publish } from './channels.ts'
import type { ConnectFailure } from './connect-failure.ts'
import { Connector } from './connector.ts'
import { currentDeadline, type Deadline, effectiveSignal, remainingMillis } from './deadline.ts'
import { DurationHistogram } from './durations.ts'
import {
  AcquireTimeoutError,
  ConnectError,
  type EndedCheckout,
  endedCheckoutOf,
  PoolClosedError,
  PoolSaturatedError,
  type PoolState,
} from './errors.ts'
import type { Joiner } from './joiner.ts'
import { Lease, type Lender, PoolEntry, type TrackedLease } from './lease.ts'
import type { LeaseObserver } from './lease-observer.ts'
import type { LeaseReport } from './lease-report.ts'
import { LeaseTracker } from './lease-tracker.ts'
import { OverloadControl } from './overload-control.ts'
import { type OverloadReason, PoolOverloadedError } from './overloaded-error.ts'
import { PoolEntries } from './pool-entries.ts'
import type { CloseReason, PoolEvent, PoolEventListener } from './pool-events.ts'
import { type PoolSettings, validatePoolSettings } from './pool-settings.ts'
import type { PoolCounts, PoolStats } from './pool-stats.ts'
import type { ResourceFactory } from './resource-factory.ts'
import type { Waiter } from './waiter-queue.ts'
import { WaitingLine } from './waiting-line.ts'

/** A validation or reset that takes longer no longer counts as an available connection: another one is opened for the waiter. */
const VALIDATION_GRACE_MILLIS = 100

/** Waiters without a deadline are rejected after this long while no connection can be opened. */
const UNREACHABLE_LIMIT_MILLIS = 10_000

/** A connection lives for maxLifetimeMillis less a random part of up to this share, so that a fleet's connections do not all expire at once. */
const LIFETIME_JITTER = 0.1

export interface PoolOptions<R> {
  /** Used in errors and events. */
  readonly name: string
  readonly settings: PoolSettings
  readonly factory: ResourceFactory<R>
  /** Classifies errors of `factory.open`, which decides whether the pool retries or rejects waiting callers. */
  readonly classify: (error: unknown) => ConnectFailure
  /** Returns advice about an error of the factory; it becomes part of the callers' errors. */
  readonly advise?: ((error: unknown) => string | undefined) | undefined
  readonly onEvent?: PoolEventListener | undefined
  readonly observer?: LeaseObserver<R> | undefined
  /** Called for each resource that is not lent any more: the pool is closing it, or it was lost. */
  readonly onClosing?: ((resource: R, reason: CloseReason) => void) | undefined
  /** True for a resource that must not be the one closed when the pool shrinks (it carries the fleet's publication). */
  readonly isPinned?: ((resource: R) => boolean) | undefined
  readonly clock?: Clock
  /** A number between 0 and 1, like Math.random. */
  readonly random?: () => number
}

export interface AcquireOptions {
  /** Overrides the pool's acquireTimeoutMillis. */
  readonly timeoutMillis?: number | undefined
  /** When it is aborted, the caller leaves the queue. Default: the signal of {@link runWithDeadline}. */
  readonly signal?: AbortSignal | undefined
  /** The caller's stacks, if they were captured earlier. */
  readonly traces?: BorrowerTraces | undefined
  /**
   * For connections that the pool acquires for itself (discovery, the fleet's exchange). They neither count in any statistic
   * nor towards `maxWaiters` and `maxUses`. `queued` waits in line; `first` goes ahead of all waiters; `overflow` also
   * goes ahead, and may open one connection more than `max`, which is closed again unless `max` has grown meanwhile.
   */
  readonly internal?: 'queued' | 'first' | 'overflow' | undefined
  /** The caller, if {@link Pool.identify} has identified it before. */
  readonly borrower?: Borrower | undefined
  /** Set if the caller may leave the line to be served on a connection that another caller holds. */
  readonly joiner?: Joiner | undefined
}

/** A request that has to wait. */
interface WaitRequest {
  readonly now: number
  readonly deadline: number
  readonly borrower: Borrower | undefined
  readonly signal: AbortSignal | undefined
  readonly internal: AcquireOptions['internal']
  readonly joiner: Joiner | undefined
}

/**
 * Lends a bounded number of resources. Callers are served first come, first served unless the pool is overloaded
 * (`WaitingLine`); the most recently used resource is lent first. `PoolEntries` holds the open resources and their states, `LeaseTracker` follows the leases.
 */
export class Pool<R> implements Lender<R> {
  readonly name: string
  readonly #factory: ResourceFactory<R>
  readonly #clock: Clock
  readonly #random: () => number
  readonly #onEvent: PoolEventListener | undefined
  readonly #onClosing: ((resource: R, reason: CloseReason) => void) | undefined
  readonly #isPinned: (resource: R) => boolean
  readonly #entries: PoolEntries<R>
  readonly #overload: OverloadControl
  readonly #waiters: WaitingLine<R>
  readonly #tracker: LeaseTracker<R>
  readonly #connector: Connector<R>
  readonly #housekeeping: Alarm
  readonly #counters = {
    opened: 0,
    closed: 0,
    timeouts: 0,
    saturated: 0,
    shed: { 'waited-too-long': 0, 'deadline-too-near': 0 },
    connectFailures: { full: 0, unavailable: 0, permanent: 0 },
  }
  readonly #connectTimes = new DurationHistogram()
  readonly #drained = Promise.withResolvers<void>()
  readonly #drainDeadline = Promise.withResolvers<void>()
  #settings: PoolSettings
  /** Waiters for whom one connection more than `max` may be opened. */
  #overflow = 0
  #draining = false
  #onEmptied: (() => void) | undefined
  /** Pending calls of `closeIdle`: meanwhile no connection stays idle. */
  #closingIdle = 0
  /** Resolved at the next change that a pending `closeIdle` may wait for. */
  #changed: PromiseWithResolvers<void> | undefined

  constructor(options: PoolOptions<R>) {
    const { factory, settings, clock = systemClock } = options
    this.name = options.name
    this.#settings = settings
    this.#factory = factory
    this.#clock = clock
    this.#random = options.random ?? Math.random
    this.#onEvent = options.onEvent
    this.#onClosing = options.onClosing
    this.#isPinned = options.isPinned ?? (() => false)
    this.#entries = new PoolEntries((resource, idle) => factory.setIdle?.(resource, idle))
    this.#overload = new OverloadControl({
      isAtLimit: () => this.#isAtLimit,
      connections: () => this.#entries.open,
      random: this.#random,
    })
    this.#waiters = new WaitingLine({
      clock,
      policy: settings.overload,
      overload: this.#overload,
      onExpired: (waiter, now) => this.#timeOut(waiter, now),
      onShed: (waiter, reason, now) => this.#shed(waiter, reason, now),
      onEmptied: () => this.#endIfDrained(),
    })
    this.#tracker = new LeaseTracker({
      name: this.name,
      settings,
      clock,
      leases: () => this.#leases(),
      waiters: this.#waiters,
      probe: {
        activityOf: (resource) => factory.activity?.(resource) ?? 0,
        runningQueryOf: (resource) => factory.runningQuery?.(resource),
        isListening: (resource) => factory.isListening?.(resource) ?? false,
      },
      emit: (event) => this.emit(event),
      observer: options.observer,
    })
    this.#housekeeping = new Alarm(clock, () => this.#housekeep(), { background: true })
    this.#connector = new Connector({
      factory,
      clock,
      random: this.#random,
      connectTimeoutMillis: () => this.#settings.connectTimeoutMillis,
      classify: options.classify,
      advise: options.advise ?? (() => undefined),
      onOpened: (resource, millis, whenLost) => this.#onOpened(resource, millis, whenLost),
      onFailed: (failure, error, retryInMillis) => this.#onConnectFailed(failure, error, retryInMillis),
      onHookFailed: (error) => this.#onHookFailed(error),
      onReady: () => this.#serve(),
    })
  }

  /** Opens `min` resources. Call it once everything that the hooks of the pool use is in place. */
  start(): void {
    this.#serve()
  }

  get settings(): PoolSettings {
    return this.#settings
  }

  /** True after `drain()` was called: the pool rejects new callers. */
  get closed(): boolean {
    return this.#draining
  }

  /**
   * Acquires a resource.
   *
   * @throws {AcquireTimeoutError} if none is available before the timeout; {@link PoolSaturatedError} immediately if maxWaiters callers wait
   * already; {@link PoolOverloadedError} if the pool sheds load (setting `overload`); {@link ConnectError} if no connection can be opened and retrying does not help; {@link PoolClosedError} after `drain`; and the
   * signal's reason if the signal is aborted.
   * @example
   * async function borrow<R>(pool: Pool<R>, use: (resource: R) => Promise<void>) {
   *   const lease = await pool.acquire()
   *   try {
   *     await use(lease.resource)
   *   } finally {
   *     lease.release()
   *   }
   * }
   */
  acquire(options: AcquireOptions = {}): Promise<Lease<R>> {
    if (this.#draining) return Promise.reject(new PoolClosedError(this.name))
    const deadline = options.internal === undefined ? currentDeadline() : undefined
    const signal = deadline && options.signal !== deadline.signal ? effectiveSignal(options.signal) : options.signal
    if (signal?.aborted) return Promise.reject(signal.reason)
    const now = this.#clock.now()
    const borrower = options.joiner ? options.borrower : this.#tracker.identify(now, this.acquire, options.traces)
    const lease = this.#acquire(options, now, borrower, signal, deadline)
    return borrower?.traces && !options.traces ? traceAwaiting(lease, borrower.traces) : lease
  }

  #acquire(
    options: AcquireOptions,
    now: number,
    borrower: Borrower | undefined,
    signal: AbortSignal | undefined,
    limit: Deadline | undefined,
  ): Promise<Lease<R>> {
    const { internal, joiner } = options
    const entry = this.#waiters.size === 0 ? this.#findReady(now) : undefined
    if (entry) return Promise.resolve(this.#lend(entry, now, now, borrower, internal !== undefined))
    if (internal === undefined && this.#isSaturated) return this.#rejectSaturated()
    const timeoutMillis = options.timeoutMillis ?? this.#settings.acquireTimeoutMillis
    const deadline = now + (limit ? Math.max(0, Math.min(timeoutMillis, remainingMillis(limit))) : timeoutMillis)
    const request = { now, deadline, borrower, signal, internal, joiner }
    if (internal !== 'overflow') return this.#wait(request)
    this.#overflow++
    return this.#wait(request).finally(() => {
      this.#overflow--
    })
  }

  /**
   * Changes the bounds. A larger max serves waiters immediately. A smaller max closes surplus idle resources now, and surplus
   * resources in use at their release.
   *
   * @throws {InvalidOptionError} for invalid bounds.
   */
  resize(bounds: { readonly min?: number; readonly max?: number }): void {
    const { min = this.#settings.min, max = this.#settings.max } = bounds
    validatePoolSettings({ min, max })
    if (this.#draining || (min === this.#settings.min && max === this.#settings.max)) return
    this.#settings = { ...this.#settings, min, max }
    this.#tracker.resize(max, this.#clock.now())
    this.#onGrown()
    for (const entry of this.#entries.allIdle) {
      if (this.#entries.open <= max) break
      if (entry.state === 'idle' && !this.#isPinned(entry.resource)) this.#close(entry, 'over-max')
    }
    this.emit({ type: 'resized', min, max })
    // Resources that the old min kept open may be overdue now.
    this.#housekeep()
  }

  /**
   * Shuts the pool down: rejects new callers, serves current waiters, waits for leases, and closes every connection.
   * Resolves when the server has closed all of them. Further calls return the same promise.
   *
   * @param millis deadline for waiters and leases; default: the setting drainMillis. After several calls the earliest deadline applies.
   */
  drain(millis: number = this.#settings.drainMillis): Promise<void> {
    if (!this.#draining) {
      this.#draining = true
      void this.#drain().then(this.#drained.resolve)
    }
    if (millis !== Infinity) {
      const cancel = this.#clock.after(millis, () => this.#drainDeadline.resolve())
      void this.#drained.promise.then(cancel)
    }
    return this.#drained.promise
  }

  /**
   * Closes all idle resources, and those that become idle until it resolves; the pool stays usable. If the pool has no leases and
   * no waiters, it also waits for resources that are being opened, validated or reset, and closes them.
   */
  async closeIdle(): Promise<void> {
    this.#closingIdle++
    await Promise.all(this.#entries.allIdle.map((entry) => this.#close(entry, 'idle')))
    while (!this.#draining && this.demand === 0 && this.#total > 0) {
      this.#changed ??= Promise.withResolvers()
      await this.#changed.promise
    }
    this.#closingIdle--
    this.#serve()
  }

  /** Whether leases capture the stacks of their callers now. */
  get capturesStacks(): boolean {
    return this.#tracker.capturesStacks
  }

  /** The part of {@link stats} that is cheap to read. */
  get counts(): PoolCounts {
    return {
      max: this.#settings.max,
      total: this.#total,
      idle: this.#entries.idle,
      active: this.#entries.leased,
      connecting: this.#connector.opening,
      waiting: this.#waiters.size,
      connectFailing: this.#connector.trouble !== undefined,
      overloaded: this.#overload.isOverloaded(this.#awakeTime),
      retryAfterMillis: this.#retryAfterMillis,
    }
  }

  /** The number of leased connections and waiting callers. */
  get demand(): number {
    return this.#entries.leased + this.#waiters.size
  }

  /** Waiting callers for whom no connection is being opened. */
  get queued(): number {
    return Math.max(0, this.#waiters.size - this.#connector.opening)
  }

  /** True if no connection is idle, and none may be opened. */
  get isExhausted(): boolean {
    return this.#entries.idle === 0 && (this.#total >= this.#maxOpen || this.#connector.trouble !== undefined)
  }

  /** When the caller that waits longest for a connection of its own began to wait; Infinity if there is none. */
  get exclusiveSince(): number {
    for (const { joiner, since } of this.#waiters) if (!joiner?.mayJoin) return since
    return Infinity
  }

  /** Identifies a caller that joins a lease. Call it in the caller's own stack, of which the frames above `below` count. */
  identify(now: number, below: (...args: never[]) => unknown, traces?: BorrowerTraces): Borrower | undefined {
    return this.#tracker.identify(now, below, traces)
  }

  /** Connections that are open or being opened, without those that are closing. */
  get openOrOpening(): number {
    return this.#entries.open + this.#connector.opening
  }

  stats(): PoolStats {
    const { connectFailures, shed, ...counters } = this.#counters
    const { connectFailing: _connectFailing, retryAfterMillis: _retryAfterMillis, ...counts } = this.counts
    const now = this.#clock.now()
    return {
      takenAtMillis: now,
      ...counts,
      min: this.#settings.min,
      validating: this.#entries.validating,
      closing: this.#entries.closing,
      ...counters,
      shed: { ...shed },
      connectFailures: { ...connectFailures },
      ...this.#tracker.stats(now),
      connect: this.#connectTimes.read(),
    }
  }

  /** The current leases, the oldest first. */
  leases(): readonly LeaseReport[] {
    return this.#tracker.reports(this.#clock.now())
  }

  /** The leases on which a query is running, with their activity up to date. */
  get querying(): readonly TrackedLease<R>[] {
    return this.#tracker.querying(this.#clock.now())
  }

  *#leases(): Generator<Lease<R>> {
    for (const { lease } of this.#entries) if (lease) yield lease
  }

  get #total(): number {
    return this.#entries.open + this.#connector.opening + this.#entries.closing
  }

  get #isSaturated(): boolean {
    const { max, maxWaiters } = this.#settings
    return this.#waiters.callers >= maxWaiters + max - this.#entries.leased
  }

  get #retryAfterMillis(): number {
    return this.#overload.retryAfterMillis(this.#awakeTime)
  }

  /** The clock's time without the time in which the event loop was blocked. */
  get #awakeTime(): number {
    return this.#clock.now() - this.#clock.blockedMillis
  }

  /** Whether waiters have to wait for connections that are in use, because no other connection can be expected. */
  get #isAtLimit(): boolean {
    const isGrowing = this.#connector.opening > 0 && this.#connector.trouble === undefined
    return this.#entries.open > 0 && !isGrowing
  }

  get #maxOpen(): number {
    return this.#settings.max + Math.min(1, this.#overflow)
  }

  /** @internal A lease was released. */
  reclaim(entry: PoolEntry<R>): void {
    if (!entry.lease?.isInternal) entry.uses++
    const now = this.#endLease(entry)
    if (this.#draining && this.#waiters.size === 0) this.#close(entry, 'drain')
    else if (entry.uses >= this.#settings.maxUses) this.#close(entry, 'uses')
    else if (entry.expiresAt <= now) this.#close(entry, 'lifetime')
    else {
      const isFit = this.#reset(entry)
      if (isFit === true) this.#handOver(entry, now)
      else if (isFit === false) this.#close(entry, 'invalid')
      else void this.#awaitVerdict(entry, isFit)
    }
    this.#serve()
  }

  /** @internal A lease ends, and the next one begins on the same resource. */
  passOn(entry: PoolEntry<R>, waitedMillis: number, borrower: Borrower | undefined): Lease<R> {
    entry.uses++
    const now = this.#endLease(entry)
    return this.#lend(entry, now - waitedMillis, now, borrower, false)
  }

  /** @internal Whether the resource will be lent again. */
  isLasting(entry: PoolEntry<R>): boolean {
    if (entry.uses + 1 >= this.#settings.maxUses || this.#closingIdle > 0) return false
    return this.#entries.open <= this.#maxOpen && entry.expiresAt > this.#clock.now()
  }

  /** @internal A lease was destroyed: its resource is not lent again. */
  reclaimUnfit(entry: PoolEntry<R>): void {
    this.#endLease(entry)
    this.#close(entry, 'destroyed')
    this.#serve()
  }

  #endLease(entry: PoolEntry<R>): number {
    const now = this.#clock.now()
    const { lease } = entry
    if (!lease) return now
    entry.lease = undefined
    this.#tracker.end(lease, now)
    if (!lease.isInternal) this.#overload.onServed(now - lease.since)
    return now
  }

  #lend(
    entry: PoolEntry<R>,
    since: number,
    now: number,
    borrower: Borrower | undefined,
    isInternal: boolean,
  ): Lease<R> {
    const lease = new Lease(this, entry, now, borrower, isInternal)
    this.#entries.move(entry, 'leased')
    entry.lease = lease
    this.#tracker.begin(lease, now - since)
    return lease
  }

  /** The most recently used idle resource, if it can be lent without validation. */
  #findReady(now: number): PoolEntry<R> | undefined {
    const entry = this.#entries.lastIdle
    return entry && entry.expiresAt > now && !this.#needsValidation(entry, now) ? entry : undefined
  }

  #needsValidation(entry: PoolEntry<R>, now: number): boolean {
    return this.#factory.validate !== undefined && now - entry.idleSince > this.#settings.validateAfterIdleMillis
  }

  #wait({ now, deadline, borrower, signal, internal, joiner }: WaitRequest): Promise<Lease<R>> {
    const first = internal === 'first' || internal === 'overflow'
    const { waiter, lease } = this.#waiters.join(now, deadline, borrower, { first, isInternal: internal !== undefined })
    this.#serve()
    this.#notifyChanged()
    if (!waiter.queued) return lease
    this.#tracker.wait(borrower, now)
    if (joiner) {
      waiter.joiner = joiner
      joiner.onWait(() => this.#withdraw(waiter))
    }
    return signal ? this.#waiters.leaveOnAbort(waiter, lease, signal) : lease
  }

  #withdraw(waiter: Waiter<R>): boolean {
    if (!waiter.queued) return false
    this.#waiters.remove(waiter)
    return true
  }

  #rejectSaturated(): Promise<never> {
    this.#counters.saturated++
    const error = new PoolSaturatedError(this.#state(), this.#settings.maxWaiters, this.#retryAfterMillis)
    this.emit({ type: 'saturated', error })
    return Promise.reject(error)
  }

  /** Hands idle resources to waiters, and opens missing connections. */
  #serve(): void {
    while (this.#waiters.size > this.#entries.validatingSoon) {
      const entry = this.#entries.lastIdle
      if (!entry) break
      const now = this.#clock.now()
      if (entry.expiresAt <= now) this.#close(entry, 'lifetime')
      else if (this.#needsValidation(entry, now)) void this.#validate(entry)
      else this.#handOver(entry, now)
    }
    const forWaiters = this.#waiters.size - this.#entries.validatingSoon
    const forMin = this.#closingIdle > 0 || this.#draining ? 0 : this.#settings.min - this.#entries.open
    while (Math.max(forWaiters, forMin) > this.#connector.opening && this.#total < this.#maxOpen) {
      if (!this.#connector.mayOpen({ urgent: forWaiters > 0 && this.#entries.open === 0 })) break
      this.#connector.open()
    }
  }

  #validate(entry: PoolEntry<R>): Promise<void> {
    this.#entries.move(entry, 'validating')
    return this.#awaitVerdict(entry, this.#isAlive(entry))
  }

  // Async, so that a factory that throws synchronously does not break the pool's state.
  async #isAlive(entry: PoolEntry<R>): Promise<boolean> {
    return (await this.#factory.validate?.(entry.resource)) ?? true
  }

  #reset(entry: PoolEntry<R>): boolean | Promise<boolean> {
    try {
      return this.#factory.reset?.(entry.resource) ?? true
    } catch {
      return false
    }
  }

  async #closeResource(entry: PoolEntry<R>): Promise<void> {
    await this.#factory.close(entry.resource)
  }

  /**
   * Waits for the result of a validation or reset. After `VALIDATION_GRACE_MILLIS`, other connections are opened for the
   * waiters; after `connectTimeoutMillis`, the resource counts as invalid.
   */
  async #awaitVerdict(entry: PoolEntry<R>, verdict: Promise<boolean>): Promise<void> {
    const limit = this.#settings.connectTimeoutMillis
    const grace = Math.min(VALIDATION_GRACE_MILLIS, limit)
    const safe = verdict.catch(() => false)
    // The validation itself may have found that the connection was lost.
    if (entry.state !== 'closing') this.#entries.move(entry, 'validating')
    let isFit = await this.#within<boolean | undefined>(grace, safe, undefined)
    if (isFit === undefined) {
      this.#entries.markSlow(entry)
      this.#serve()
      isFit = await this.#within(limit - grace, safe, false)
    }
    if (isFit) this.#handOver(entry, this.#clock.now())
    else this.#close(entry, 'invalid')
    this.#serve()
  }

  /** Hands a valid resource to the caller that waits longest, or makes it idle. */
  #handOver(entry: PoolEntry<R>, now: number): void {
    if (entry.state === 'closing') return
    if (this.#entries.open > this.#maxOpen && !this.#isPinned(entry.resource)) {
      this.#close(entry, 'over-max')
      return
    }
    const waiter = this.#waiters.shift()
    if (waiter) {
      waiter.resolve(this.#lend(entry, waiter.since, now, waiter.borrower, waiter.isInternal))
      return
    }
    if (this.#draining || this.#closingIdle > 0) {
      this.#close(entry, this.#draining ? 'drain' : 'idle')
      return
    }
    entry.idleSince = now
    this.#entries.move(entry, 'idle')
    this.#housekeeping.at(Math.min(now + this.#settings.idleTimeoutMillis, entry.expiresAt))
  }

  #onOpened(resource: R, millis: number, whenLost: (lost: (error: unknown) => void) => void): void {
    this.#counters.opened++
    this.#connectTimes.record(millis)
    const now = this.#clock.now()
    const entry = new PoolEntry<R>(
      resource,
      now + this.#settings.maxLifetimeMillis * (1 - this.#random() * LIFETIME_JITTER),
    )
    this.#entries.add(entry)
    this.#onGrown()
    this.emit({ type: 'opened', millis })
    // Before the hand-over, so that a resource that was lost meanwhile is not lent.
    whenLost((error) => this.#onLost(entry, error))
    this.#handOver(entry, now)
    this.#serve()
  }

  #onConnectFailed(failure: ConnectFailure, error: unknown, retryInMillis: number | null): void {
    this.#notifyChanged()
    // The attempt was aborted, because no caller waits for it any more.
    if (this.#draining && this.#waiters.size === 0) {
      this.#checkEmptied()
      return
    }
    this.#counters.connectFailures[failure]++
    // If other connections are open, the pool can still serve callers, even if the password has been changed since.
    if (failure === 'permanent' && this.#entries.open === 0)
      this.#waiters.rejectAll(() => new ConnectError(this.name, error, this.#connector.trouble?.advice))
    this.emit({ type: 'connect-failed', failure, error, retryInMillis })
    if (this.#entries.open === 0) this.#rejectUnboundedWaiters()
    this.#serve()
  }

  #onHookFailed(error: unknown): boolean {
    const waiter = this.#waiters.shift()
    if (!waiter) return false
    this.#counters.connectFailures.permanent++
    waiter.reject(error)
    // No pause: the next caller's attempt may succeed.
    this.emit({ type: 'connect-failed', failure: 'permanent', error, retryInMillis: null })
    this.#notifyChanged()
    this.#checkEmptied()
    this.#serve()
    return true
  }

  /** A caller without a deadline must not wait for a server that may never come back. */
  #rejectUnboundedWaiters(): void {
    const now = this.#clock.now()
    const unbounded = [...this.#waiters].filter(
      (each) => each.deadline === Infinity && now - each.since >= UNREACHABLE_LIMIT_MILLIS,
    )
    for (const waiter of unbounded) if (waiter.queued) this.#timeOut(waiter, now)
  }

  /** Ends the lease of a lost connection: its slot becomes free even if the caller never releases it. */
  #onLost(entry: PoolEntry<R>, error: unknown): void {
    if (entry.state === 'closing') return
    this.#endLease(entry)
    this.#close(entry, 'lost', error)
    this.#serve()
  }

  #close(entry: PoolEntry<R>, reason: CloseReason, error?: unknown): Promise<void> | undefined {
    if (entry.state === 'closing') return undefined
    this.#entries.move(entry, 'closing')
    this.#onClosing?.(entry.resource, reason)
    return this.#within(this.#settings.connectTimeoutMillis, this.#closeResource(entry), undefined).then(() => {
      this.#entries.closed()
      this.#counters.closed++
      this.emit(error === undefined ? { type: 'closed', reason } : { type: 'closed', reason, error })
      this.#checkEmptied()
      this.#serve()
      this.#notifyChanged()
    })
  }

  /** The promise's value; `otherwise` if it rejects or takes longer than `millis`. */
  #within<T>(millis: number, promise: Promise<T>, otherwise: T): Promise<T> {
    return new Promise((resolve) => {
      const cancel = millis === Infinity ? undefined : this.#clock.after(millis, () => resolve(otherwise))
      promise.then(resolve, () => resolve(otherwise)).finally(cancel)
    })
  }

  #timeOut(waiter: Waiter<R>, now: number): void {
    const error = new AcquireTimeoutError(
      now - waiter.since,
      this.#state(),
      this.#clock.blockedMillis - waiter.blockedBefore,
    )
    this.#waiters.remove(waiter)
    this.#counters.timeouts++
    this.emit({ type: 'timeout', error })
    waiter.reject(error)
  }

  #shed(waiter: Waiter<R>, reason: OverloadReason, now: number): void {
    const error = new PoolOverloadedError({
      reason,
      waitedMillis: now - waiter.since,
      serviceMillis: this.#overload.serviceMillis,
      retryAfterMillis: this.#retryAfterMillis,
      pool: this.#state([]),
    })
    this.#waiters.remove(waiter)
    this.#counters.shed[reason]++
    this.#overload.onShed(this.#awakeTime)
    this.emit({ type: 'shed', error })
    waiter.reject(error)
  }

  /** With more connections, the queue may empty now. */
  #onGrown(): void {
    if (this.#waiters.callers > 0) this.#overload.restart(this.#awakeTime)
  }

  /** Closes resources that were idle for too long or are too old, and schedules the next check. */
  #housekeep(): void {
    const now = this.#clock.now()
    const { idleTimeoutMillis, min } = this.#settings
    let next = Infinity
    for (const entry of this.#entries.allIdle) {
      // A listener of the previous close may have changed the bounds.
      if (entry.state !== 'idle') continue
      const idleUntil = this.#entries.open > min ? entry.idleSince + idleTimeoutMillis : Infinity
      if (Math.min(idleUntil, entry.expiresAt) > now) {
        next = Math.min(next, idleUntil, entry.expiresAt)
        continue
      }
      this.#close(entry, entry.expiresAt <= now ? 'lifetime' : 'idle')
    }
    this.#housekeeping.at(next)
    this.#serve()
  }

  async #drain(): Promise<void> {
    this.#notifyChanged()
    this.#housekeeping.stop()
    this.#tracker.stop()
    const { promise: emptied, resolve } = Promise.withResolvers<void>()
    this.#onEmptied = resolve
    this.#waiters.rejectInternal(() => new PoolClosedError(this.name))
    this.#endIfDrained()
    await Promise.race([emptied, this.#drainDeadline.promise])
    this.#waiters.rejectAll(() => new PoolClosedError(this.name))
    const forced = this.#entries.open
    for (const entry of this.#entries) {
      this.#endLease(entry)
      this.#close(entry, 'drain')
    }
    await emptied
    this.emit({ type: 'drained', forced })
  }

  /** During a drain, idle connections are closed once no caller waits. */
  #endIfDrained(): void {
    if (!this.#draining || this.#waiters.size > 0) return
    this.#connector.stop()
    for (const entry of this.#entries.allIdle) this.#close(entry, 'drain')
    this.#checkEmptied()
  }

  #checkEmptied(): void {
    if (this.#total === 0) this.#onEmptied?.()
  }

  #notifyChanged(): void {
    this.#changed?.resolve()
    this.#changed = undefined
  }

  /** Describes an ended checkout, for errors of callers that still use it. */
  endedCheckout(lease: Lease<R>): EndedCheckout {
    return endedCheckoutOf(lease, this.#clock.now())
  }

  /** @param oldestLeases empty for errors that may be created thousands of times a second: finding the leases takes longer than the rest. */
  #state(oldestLeases: readonly LeaseReport[] = this.leases().slice(0, 3)): PoolState {
    const { max, total, idle, active, connecting, waiting } = this.counts
    return {
      name: this.name,
      ...{ max, total, idle, active, connecting, waiting },
      oldestLeases,
      deadlocked: this.#tracker.deadlocked,
      waste: this.#tracker.waste,
      trouble: this.#connector.trouble ?? null,
    }
  }

  /**
   * Emits an event to `onEvent` and to the diagnostics channels; drivers emit their own events through it. An error of a listener
   * does not affect the pool: it becomes an uncaught exception, as with node:events.
   */
  emit(event: PoolEvent): void {
    publish(this.name, event)
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
