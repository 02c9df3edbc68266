import { type Clock, systemClock } from '../clock.ts'
import { InvalidOptionError } from '../invalid-option-error.ts'
import { type Borrower, type BorrowerTraces, traceAwaiting } from './borrower.ts'
import type { Callers, WaitRequest } from './callers.ts'
import { publish } from './channels.ts'
import type { ConnectFailure } from './connect-failure.ts'
import { currentDeadline, type Deadline, effectiveSignal, remainingMillis } from './deadline.ts'
import { Drain } from './drain.ts'
import { ConnectError, type EndedCheckout, endedCheckoutOf, PoolClosedError } from './errors.ts'
import type { Lane } from './lane.ts'
import { Lanes } from './lanes.ts'
import { Lease, type Lender, type PoolEntry, type TrackedLease } from './lease.ts'
import type { LeaseReport } from './lease-report.ts'
import { LeaseTracker } from './lease-tracker.ts'
import { Limits } from './limits.ts'
import type { PoolCallers, SessionReport } from './pool-callers.ts'
import type { PoolEntries } from './pool-entries.ts'
import type { PoolEvent, PoolEventListener } from './pool-events.ts'
import type { AcquireOptions, PoolOptions } from './pool-options.ts'
import { PoolReport } from './pool-report.ts'
import { PoolResources } from './pool-resources.ts'
import { type PoolSettings, validatePoolSettings } from './pool-settings.ts'
import type { PoolCounts, PoolLoad, PoolStats } from './pool-stats.ts'
import { WaitSpan } from './wait-span.ts'

/**
 * Lends a bounded number of resources. Callers are served first come, first served unless the pool is overloaded
 * (`WaitingLine`); the most recently used resource is lent first. This file lends; `PoolResources` opens and closes what is lent,
 * `Callers` holds the callers that wait, `LeaseTracker` follows the leases, and `Limits` has the settings.
 */
export class Pool<R> implements Lender<R> {
  readonly name: string
  readonly #clock: Clock
  readonly #onEvent: PoolEventListener | undefined
  readonly #limits: Limits
  readonly #resources: PoolResources<R>
  readonly #entries: PoolEntries<R>
  readonly #lanes: Lanes<R>
  readonly #tracker: LeaseTracker<R>
  readonly #report: PoolReport<R>
  readonly #drain: Drain<R>
  readonly #onWait: (() => void) | undefined
  #emptied = 0
  #ended = 0

  constructor(options: PoolOptions<R>) {
    const { name, factory, settings, clock = systemClock, random = Math.random } = options
    const emit = (event: PoolEvent) => this.emit(event)
    const limits = new Limits(settings)
    const resources: PoolResources<R> = new PoolResources({
      ...{ factory, clock, random, limits, emit, classify: options.classify },
      advise: options.advise ?? (() => undefined),
      budget: options.budget,
      isPinned: options.isPinned ?? (() => false),
      onClosing: options.onClosing,
      hasWaiters: () => lanes.size > 0,
      unserved: () => lanes.servable - entries.validatingSoon,
      waitingSince: () => lanes.waitingSince,
      lendToWaiter: (entry, now) => this.#lendToWaiter(entry, now),
      rejectWaiter: (error) => this.#rejectWaiter(error),
      onAdded: () => lanes.onGrown(),
      onLost: (entry) => this.#endLease(entry),
      onReduced: () => this.#drain.onReduced(),
      onConnectFailed: (failure, error, retryInMillis) => this.#onConnectFailed(failure, error, retryInMillis),
      onChanged: () => this.#serve(),
    })
    const { entries } = resources
    const lanes: Lanes<R> = new Lanes({
      ...{ options: options.lanes, clock, random, limits, resources, emit },
      warn: options.warn ?? ((message) => emit({ type: 'warning', message })),
      describe: (callers, oldestLeases) => this.#report.describe(callers, oldestLeases),
      onEmptied: () => {
        if (lanes.size === 0) this.#emptied++
        this.#drain.onNoWaiters()
      },
    })
    const tracker = new LeaseTracker<R>({
      ...{ name, clock, emit, waiters: lanes, observer: options.observer },
      settings: { ...settings, max: limits.lendable },
      leases: () => this.#leases(),
      probe: {
        activityOf: (resource) => factory.activity?.(resource) ?? 0,
        runningQueryOf: (resource) => factory.runningQuery?.(resource),
        isListening: (resource) => factory.isListening?.(resource) ?? false,
      },
    })
    this.name = name
    this.#clock = clock
    this.#onEvent = options.onEvent
    this.#onWait = options.onWait
    this.#limits = limits
    this.#resources = resources
    this.#entries = entries
    this.#lanes = lanes
    this.#tracker = tracker
    this.#report = new PoolReport({ name, clock, limits, resources, lanes, tracker, budget: options.budget })
    this.#drain = new Drain({ name, clock, lanes, resources, emit, endLease: (entry) => this.#endLease(entry) })
  }

  /** Opens `min` resources. Call it once everything that the hooks of the pool use is in place. */
  start(): void {
    this.#serve()
  }

  get settings(): PoolSettings {
    return this.#limits.settings
  }

  /** True after `drain()` was called: the pool rejects new callers. */
  get closed(): boolean {
    return this.#resources.isDraining
  }

  // --- Acquiring -----------------------------------------------------------------------------------------------------

  /**
   * Acquires a resource.
   *
   * @throws {AcquireTimeoutError} if none is available before the timeout; `PoolSaturatedError` immediately if maxWaiters callers wait
   * already; `PoolOverloadedError` if the pool sheds load (setting `overload`); {@link ConnectError} if no connection can be opened and
   * retrying does not help; {@link PoolClosedError} after `drain`; {@link InvalidOptionError} for a lane that the pool does not have; and
   * the signal's reason if the signal is aborted.
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
    if (this.#resources.isDraining) return Promise.reject(new PoolClosedError(this.name))
    const deadline = options.internal === undefined ? currentDeadline() : undefined
    const signal = deadline && options.signal !== deadline.signal ? effectiveSignal(options.signal) : options.signal
    if (signal?.aborted) return Promise.reject(signal.reason)
    const now = this.#clock.now()
    const borrower = options.joiner ? options.borrower : this.#tracker.identify(now, this.acquire, options.traces)
    const callers = this.#lanes.of(options)
    if (!callers) return Promise.reject(this.#unknownLane(options.lane))
    const lease = this.#acquire(callers, options, now, borrower, signal, deadline)
    return borrower?.traces && !options.traces ? traceAwaiting(lease, borrower.traces) : lease
  }

  #acquire(
    callers: Callers<R>,
    options: AcquireOptions,
    now: number,
    borrower: Borrower | undefined,
    signal: AbortSignal | undefined,
    limit: Deadline | undefined,
  ): Promise<Lease<R>> {
    const { internal, joiner } = options
    const entry = this.#lanes.mayLend(callers) && callers.line.size === 0 ? this.#resources.findReady(now) : undefined
    if (entry) return Promise.resolve(this.#lend(entry, now, now, borrower, internal !== undefined, callers.lane))
    if (internal === undefined && callers.isSaturated) return callers.rejectSaturated()
    const timeoutMillis = options.timeoutMillis ?? this.#limits.settings.acquireTimeoutMillis
    const deadline = now + (limit ? Math.max(0, Math.min(timeoutMillis, remainingMillis(limit))) : timeoutMillis)
    const request = { now, deadline, borrower, signal, internal, joiner }
    return internal === 'overflow'
      ? this.#limits.withOverflow(() => this.#wait(callers, request))
      : this.#wait(callers, request)
  }

  #wait(callers: Callers<R>, request: WaitRequest): Promise<Lease<R>> {
    const { waiter, lease } = callers.join(request)
    this.#serve()
    this.#resources.notifyChanged()
    if (!waiter.queued) return lease
    this.#onWait?.()
    this.#tracker.wait(request.borrower, request.now)
    const span = request.internal === undefined ? WaitSpan.begin(this.name, callers.lane, this.#clock) : undefined
    return callers.keepWaiting(waiter, lease, request, span)
  }

  /** Identifies a caller that joins a lease. Call it in the caller's own stack, of which the frames above `below` count. */
  identify(now: number, below: (...args: never[]) => unknown, traces?: BorrowerTraces): Borrower | undefined {
    return this.#tracker.identify(now, below, traces)
  }

  // --- Lending -------------------------------------------------------------------------------------------------------

  /** Lends idle resources to waiters, and opens missing ones. */
  #serve(): void {
    const lanes = this.#lanes
    const entries = this.#entries
    while (lanes.servable > entries.validatingSoon && this.#resources.offerIdle());
    this.#resources.openMissing(lanes.servable - entries.validatingSoon)
  }

  #lendToWaiter(entry: PoolEntry<R>, now: number): boolean {
    const waiter = this.#lanes.shift()
    if (!waiter) return false
    waiter.resolve(this.#lend(entry, waiter.since, now, waiter.borrower, waiter.isInternal, waiter.lane))
    return true
  }

  #lend(
    entry: PoolEntry<R>,
    since: number,
    now: number,
    borrower: Borrower | undefined,
    isInternal: boolean,
    lane: Lane,
  ): Lease<R> {
    const lease = new Lease(this, entry, now, borrower, isInternal, lane)
    this.#entries.move(entry, 'leased')
    entry.lease = lease
    lane.begin(now - since, isInternal)
    this.#tracker.begin(lease, now - since)
    return lease
  }

  /** @internal A lease was released. */
  reclaim(entry: PoolEntry<R>): void {
    if (!entry.lease?.isInternal) entry.uses++
    this.#resources.recycle(entry, this.#endLease(entry))
    this.#serve()
  }

  /** @internal A lease ends, and the next one begins on the same resource. */
  passOn(entry: PoolEntry<R>, lease: Lease<R>, waitedMillis: number, borrower: Borrower | undefined): Lease<R> {
    entry.uses++
    const { lane } = lease
    const now = this.#endLease(entry)
    return this.#lend(entry, now - waitedMillis, now, borrower, false, lane)
  }

  /** @internal Whether the resource will be lent again. */
  isLasting(entry: PoolEntry<R>): boolean {
    return this.#resources.isLasting(entry) && !this.#lanes.isAboveLimit
  }

  /** @internal A lease was destroyed: its resource is not lent again. */
  reclaimUnfit(entry: PoolEntry<R>): void {
    this.#endLease(entry)
    void this.#resources.close(entry, 'destroyed')
    this.#serve()
  }

  #endLease(entry: PoolEntry<R>): number {
    const now = this.#clock.now()
    const { lease } = entry
    if (!lease) return now
    entry.lease = undefined
    if (!lease.isInternal) this.#ended++
    this.#tracker.end(lease, now)
    lease.lane.end(now - lease.since, lease.isInternal)
    return now
  }

  /** Describes an ended checkout, for errors of callers that still use it. */
  endedCheckout(lease: Lease<R>): EndedCheckout {
    return endedCheckoutOf(lease, this.#clock.now())
  }

  #unknownLane(lane: string | undefined): InvalidOptionError {
    const { names } = this.#lanes
    return new InvalidOptionError(
      'lane',
      lane,
      names ? `one of the pool's lanes: ${names}` : 'no value: the pool has no lanes (option lanes)',
    )
  }

  // --- Failures to connect -------------------------------------------------------------------------------------------

  #onConnectFailed(failure: ConnectFailure, error: unknown, retryInMillis: number | null): void {
    // If other connections are open, the pool can still serve callers, even if the password has been changed since.
    if (failure === 'permanent' && this.#entries.open === 0)
      this.#lanes.rejectAll(() => new ConnectError(this.name, error, this.#resources.trouble?.advice))
    this.emit({ type: 'connect-failed', failure, error, retryInMillis })
    if (this.#entries.open === 0) this.#lanes.rejectUnbounded()
  }

  #rejectWaiter(error: unknown): boolean {
    const waiter = this.#lanes.shift()
    waiter?.reject(error)
    return waiter !== undefined
  }

  // --- Changing ------------------------------------------------------------------------------------------------------

  /**
   * Changes the bounds. A larger max serves waiters immediately. A smaller max closes surplus idle resources now, and surplus
   * resources in use at their release.
   *
   * @throws {InvalidOptionError} for invalid bounds.
   */
  resize(bounds: { readonly min?: number; readonly max?: number }): void {
    const { settings } = this
    const { min = settings.min, max = settings.max } = bounds
    validatePoolSettings({ min, max })
    if (this.closed || (min === settings.min && max === settings.max)) return
    this.#limits.resize(min, max)
    this.#tracker.resize(this.#limits.lendable, this.#clock.now())
    this.#lanes.resize()
    this.#lanes.onGrown()
    this.#resources.closeSurplus()
    this.emit({ type: 'resized', min, max })
    // Resources that the old min kept open may be overdue now.
    this.#resources.housekeep()
  }

  /**
   * Changes how many resources callers may have at the same time; `max` remains an upper bound. No resource is closed: those above a
   * smaller limit stay idle. A larger limit serves waiters immediately.
   */
  limitLending(limit: number): void {
    if (limit === this.#limits.lending) return
    this.#limits.lending = limit
    this.#tracker.resize(this.#limits.lendable, this.#clock.now())
    this.#lanes.resize()
    this.#serve()
  }

  /** Closes the matching resources: idle ones now, those in use at their release. No other caller gets them. */
  retire(matches: (resource: R) => boolean): void {
    this.#resources.retire(matches)
    this.#serve()
  }

  /**
   * Closes all idle resources, and those that become idle until it resolves; the pool stays usable. If the pool has no leases and
   * no waiters, it also waits for resources that are being opened, validated or reset, and closes them.
   */
  async closeIdle(): Promise<void> {
    await this.#resources.closeIdle(() => !this.closed && this.demand === 0)
    this.#serve()
  }

  /**
   * Shuts the pool down: rejects new callers, serves current waiters, waits for leases, and closes every connection.
   * Resolves when the server has closed all of them. Further calls return the same promise.
   *
   * @param millis deadline for waiters and leases; default: the setting drainMillis. After several calls the earliest deadline applies.
   */
  drain(millis: number = this.settings.drainMillis): Promise<void> {
    if (!this.closed) this.#tracker.stop()
    return this.#drain.within(millis)
  }

  // --- Reading -------------------------------------------------------------------------------------------------------

  /** Whether leases capture the stacks of their callers now. */
  get capturesStacks(): boolean {
    return this.#tracker.capturesStacks
  }

  /** The part of {@link stats} that is cheap to read. */
  get counts(): PoolCounts {
    return this.#report.counts
  }

  /** Cheaper still, for a controller of the limit. */
  get load(): PoolLoad {
    const { lent, size } = this.#lanes
    const { validating } = this.#entries
    const opening = this.#resources.opening
    const counters = { emptied: this.#emptied, ended: this.#ended }
    return { limit: this.#limits.lendable, lent, validating, opening, waiting: size, ...counters }
  }

  stats(): PoolStats {
    return this.#report.stats()
  }

  /** The current leases, the oldest first. */
  leases(): readonly LeaseReport[] {
    return this.#report.leases()
  }

  /** At most `limit` connections in use and callers that wait, the oldest first. */
  callers(limit: number, sessionOf: (resource: R) => SessionReport): PoolCallers {
    return this.#report.callers(limit, sessionOf)
  }

  /** The leases on which a query is running, with their activity up to date. */
  get querying(): readonly TrackedLease<R>[] {
    return this.#tracker.querying(this.#clock.now())
  }

  *#leases(): Generator<Lease<R>> {
    for (const { lease } of this.#entries) if (lease) yield lease
  }

  /** The number of leased connections, and of waiting callers for whom more connections would help. */
  get demand(): number {
    return this.#entries.leased + this.#lanes.demand
  }

  /** Waiting callers for whom no connection is being opened. */
  get queued(): number {
    return Math.max(0, this.#lanes.size - this.#resources.opening)
  }

  /** The name of the current call's lane; undefined in a pool without lanes. */
  get currentLane(): string | undefined {
    return this.#lanes.only ? undefined : this.#lanes.current.lane.name
  }

  /** False for a name that is none of the pool's lanes. */
  hasLane(lane: string | undefined): boolean {
    return this.#lanes.of({ lane }) !== undefined
  }

  /** True if a caller of the lane cannot get a connection immediately: none is idle and none may be opened, or the lane may have no more. */
  isExhausted(lane: string | undefined): boolean {
    return this.#resources.isExhausted || !this.#lanes.mayLend(this.#lanes.named(lane))
  }

  /** Waiting callers of a lane for whom no connection is being opened. */
  queuedIn(lane: string | undefined): number {
    return Math.max(0, this.#lanes.named(lane).line.size - this.#resources.opening)
  }

  /** When the caller of a lane that waits longest for a connection of its own began to wait; Infinity if there is none. */
  exclusiveSince(lane: string | undefined): number {
    return this.#lanes.named(lane).exclusiveSince
  }

  /** Connections that are open or being opened, without those that are closing. */
  get openOrOpening(): number {
    return this.#entries.open + this.#resources.opening
  }

  // --- Events --------------------------------------------------------------------------------------------------------

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
