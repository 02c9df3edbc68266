import { type Clock, systemClock } from '../clock.ts'
import { Alarm } from './alarm.ts'
import { type Borrower, BorrowerIdentification, type BorrowerTraces, traceAwaiting } from './borrower.ts'
import { CapacityTime } from './capacity-time.ts'
import { acquireChannel, publish, releaseChannel } from './channels.ts'
import type { ConnectFailure } from './connect-failure.ts'
import { Connector } from './connector.ts'
import { DurationHistogram } from './durations.ts'
import { PoolEntry } from './entry.ts'
import { AcquireTimeoutError, ConnectError, PoolClosedError, PoolSaturatedError, type PoolState } from './errors.ts'
import { LabelledWaits } from './label.ts'
import { Lease, type Lender } from './lease.ts'
import { type LeaseReport, reportLease, reportQuery, sumLeases } from './lease-report.ts'
import { LeaseWatch } from './lease-watch.ts'
import type { CloseReason, PoolEvent, PoolEventListener } from './pool-events.ts'
import { type PoolSettings, validatePoolSettings } from './pool-settings.ts'
import type { PoolCounts, PoolStats } from './pool-stats.ts'
import { type EndedCheckout, endedCheckoutOf } from './release-errors.ts'
import type { ResourceFactory, RunningQuery } from './resource-factory.ts'
import type { Waiter } from './waiter-queue.ts'
import { WaitingLine } from './waiting-line.ts'

/** A check or a cleaning that takes longer is no longer waited for alone. */
const SOON_MILLIS = 100

/** After so long without a server even those give up who would wait without end. */
const HOPELESS_MILLIS = 10_000

/** A connection lives for maxLifetimeMillis less a random part of up to this share, so that a fleet's do not all go at once. */
const LIFETIME_JITTER = 0.1

export interface PoolOptions<R> {
  /** Named in errors. */
  readonly name: string
  readonly settings: PoolSettings
  readonly factory: ResourceFactory<R>
  /** Sorts the errors of the factory. Default: every one is `unavailable`. */
  readonly classify?: ((error: unknown) => ConnectFailure) | undefined
  /** What to do about an error of the factory; it becomes part of what callers are told. */
  readonly advise?: ((error: unknown) => string | undefined) | undefined
  readonly onEvent?: PoolEventListener | undefined
  /** Told of each resource that is lent no more: it is being closed, or was lost. */
  readonly onGone?: ((resource: R, reason: CloseReason) => void) | undefined
  /** Whether a resource is to stay where one of several is too many. */
  readonly keeps?: ((resource: R) => boolean) | undefined
  readonly clock?: Clock
  /** Between 0 and 1, as Math.random. */
  readonly random?: () => number
}

export interface AcquireOptions {
  /** Instead of the pool's acquireTimeoutMillis. */
  readonly timeoutMillis?: number | undefined
  readonly signal?: AbortSignal | undefined
  /**
   * For what the pool needs itself: `maxWaiters` neither holds for it nor counts it, so that it takes no caller's place;
   * `maxUses` and the figures of checkouts do not count it either.
   */
  readonly own?: boolean | undefined
  /** Where it was asked for, if that was earlier than now. */
  readonly traces?: BorrowerTraces | undefined
  /** Goes before those who wait. */
  readonly first?: boolean | undefined
  /** May be served by one connection more than `max`, which is closed again if that has not grown meanwhile. */
  readonly beyondMax?: boolean | undefined
}

/** How one waits. */
interface Waiting {
  readonly now: number
  readonly deadline: number
  readonly borrower: Borrower | undefined
  readonly signal: AbortSignal | undefined
  readonly first: boolean
  readonly own: boolean
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
  readonly #onGone: ((resource: R, reason: CloseReason) => void) | undefined
  readonly #keeps: (resource: R) => boolean
  readonly #connector: Connector<R>
  readonly #housekeeping: Alarm
  readonly #watch: LeaseWatch<R>
  readonly #borrowers: BorrowerIdentification
  readonly #waiters: WaitingLine<R>
  /** Idle, leased and settling. */
  readonly #open = new Set<PoolEntry<R>>()
  /** The one used last at the end; so they stand in the order of `idleSince`. */
  readonly #idle: PoolEntry<R>[] = []
  readonly #counters = {
    acquired: 0,
    opened: 0,
    closed: 0,
    timeouts: 0,
    saturated: 0,
    leaks: 0,
    deadlocks: 0,
    connectFailures: { full: 0, unavailable: 0, permanent: 0 },
  }
  readonly #waitTimes = new DurationHistogram()
  readonly #labelledWaits = new LabelledWaits()
  readonly #useTimes = new DurationHistogram()
  readonly #createTimes = new DurationHistogram()
  readonly #capacity: CapacityTime
  readonly #drained = Promise.withResolvers<void>()
  readonly #outOfTime = Promise.withResolvers<void>()
  #settings: PoolSettings
  #settling = 0
  /** Of the settling ones, those that will be there any moment. */
  #expected = 0
  #closing = 0
  /** Waiters that one connection more may be opened for. */
  #beyondMax = 0
  #draining = false
  #emptied: (() => void) | undefined
  /** Calls of `closeIdle` that are not done: meanwhile nothing becomes idle. */
  #closingIdle = 0
  /** Resolved with the next change that such a call may wait for. */
  #changed: PromiseWithResolvers<void> | undefined

  constructor(options: PoolOptions<R>) {
    this.name = options.name
    this.#settings = options.settings
    this.#factory = options.factory
    this.#clock = options.clock ?? systemClock
    this.#capacity = new CapacityTime(options.settings.max, this.#clock.now())
    this.#random = options.random ?? Math.random
    this.#onEvent = options.onEvent
    this.#onGone = options.onGone
    this.#keeps = options.keeps ?? (() => false)
    this.#borrowers = new BorrowerIdentification(options.settings.stacks, options.settings.leakThresholdMillis)
    this.#waiters = new WaitingLine(
      this.#clock,
      (waiter, now) => this.#timeOut(waiter, now),
      () => this.#endIfDrained(),
    )
    this.#housekeeping = new Alarm(this.#clock, () => this.#housekeep(), { background: true })
    this.#connector = new Connector({
      factory: options.factory,
      clock: this.#clock,
      random: this.#random,
      connectTimeoutMillis: () => this.#settings.connectTimeoutMillis,
      classify: options.classify ?? (() => 'unavailable'),
      advise: options.advise ?? (() => undefined),
      opened: (resource, millis, whenLost) => this.#opened(resource, millis, whenLost),
      failed: (failure, error, retryInMillis) => this.#connectFailed(failure, error, retryInMillis),
      hookFailed: (error) => this.#hookFailed(error),
      ready: () => this.#serve(),
    })
    this.#watch = new LeaseWatch({
      clock: this.#clock,
      leakThresholdMillis: options.settings.leakThresholdMillis,
      longQueryMillis: options.settings.longQueryMillis,
      leased: () => this.#open,
      waiters: this.#waiters,
      activityOf: (resource) => this.#factory.activity?.(resource) ?? 0,
      runningQueryOf: (resource) => this.#factory.runningQuery?.(resource),
      isListening: (resource) => this.#factory.isListening?.(resource) ?? false,
      longQuery: (entry, query, now) => this.#reportLongQuery(entry, query, now),
      suspected: (entry, lease, now) => this.#suspect(entry, lease, now),
      deadlocked: (now) => this.#reportDeadlock(now),
    })
    this.#serve()
  }

  get settings(): PoolSettings {
    return this.#settings
  }

  /** Whether it has been drained, or is being: it lends no more. */
  get closed(): boolean {
    return this.#draining
  }

  /**
   * Borrows a resource.
   *
   * @throws {AcquireTimeoutError} when none came free in time; {@link PoolSaturatedError} at once when maxWaiters wait
   * already; {@link ConnectError} when no connection can be opened and retrying does not help; {@link PoolClosedError} after `drain`; and the
   * signal's reason when that is aborted.
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
    const { signal } = options
    if (signal?.aborted) return Promise.reject(signal.reason)
    const now = this.#clock.now()
    const borrower = this.#borrowers.identify(now, this.acquire, options.traces)
    const lease = this.#acquire(options, now, borrower)
    return borrower?.traces && !options.traces ? traceAwaiting(lease, borrower.traces) : lease
  }

  #acquire(options: AcquireOptions, now: number, borrower: Borrower | undefined): Promise<Lease<R>> {
    const { signal, own = false, first = false, beyondMax = false } = options
    const entry = this.#waiters.size === 0 ? this.#takeReady(now) : undefined
    if (entry) return Promise.resolve(this.#lend(entry, now, now, borrower, own))
    if (!own && this.#isSaturated) return this.#turnAway()
    const deadline = now + (options.timeoutMillis ?? this.#settings.acquireTimeoutMillis)
    const waiting = { now, deadline, borrower, signal, first, own }
    if (!beyondMax) return this.#wait(waiting)
    this.#beyondMax++
    return this.#wait(waiting).finally(() => {
      this.#beyondMax--
    })
  }

  /**
   * Changes the bounds. Growing serves waiters at once; shrinking closes idle surplus now, and busy surplus at release.
   *
   * @throws {InvalidOptionError} for bounds that cannot be meant.
   */
  resize(bounds: { readonly min?: number; readonly max?: number }): void {
    const { min = this.#settings.min, max = this.#settings.max } = bounds
    validatePoolSettings({ min, max })
    if (this.#draining || (min === this.#settings.min && max === this.#settings.max)) return
    this.#settings = { ...this.#settings, min, max }
    this.#capacity.resize(max, this.#clock.now())
    for (const entry of [...this.#idle]) {
      if (this.#open.size <= max) break
      if (entry.gone || this.#keeps(entry.resource)) continue
      this.#idle.splice(this.#idle.indexOf(entry), 1)
      this.#close(entry, 'surplus')
    }
    this.emit({ type: 'resized', min, max })
    // What min has kept open so far may be overdue now.
    this.#housekeep()
  }

  /**
   * Closes the pool: rejects new callers, serves those that wait already, waits for leases, and closes every connection.
   * Resolves when the server has let go of all of them. Calling it again gives the same promise.
   *
   * @param millis how long waiters and leases are given; default: the setting drainMillis. Of several calls the shortest holds.
   */
  drain(millis: number = this.#settings.drainMillis): Promise<void> {
    if (!this.#draining) {
      this.#draining = true
      void this.#drain().then(this.#drained.resolve)
    }
    if (millis !== Infinity) {
      const cancel = this.#clock.after(millis, () => this.#outOfTime.resolve())
      void this.#drained.promise.then(cancel)
    }
    return this.#drained.promise
  }

  /**
   * Closes what nobody uses now, and what comes free meanwhile; the pool goes on. Resolves when the server has let go of it,
   * and nothing is being opened or checked that nobody waits for; in a pool that is in use it waits for no more.
   */
  async closeIdle(): Promise<void> {
    this.#closingIdle++
    await Promise.all(this.#idle.splice(0).map((entry) => this.#close(entry, 'idle')))
    while (!this.#draining && this.#active + this.#waiters.size === 0 && this.#total > 0) {
      this.#changed ??= Promise.withResolvers()
      await this.#changed.promise
    }
    this.#closingIdle--
    this.#serve()
  }

  /** Whether leases remember the stacks of their borrowers at the moment. */
  get capturesStacks(): boolean {
    return this.#borrowers.captures(this.#clock.now())
  }

  /** The few of the {@link stats} that cost nothing to read. */
  get counts(): PoolCounts {
    return {
      max: this.#settings.max,
      total: this.#total,
      idle: this.#idle.length,
      active: this.#active,
      waiting: this.#waiters.size,
      troubled: this.#connector.trouble !== undefined,
    }
  }

  /** Connections that are lent, and callers that wait for one. */
  get demand(): number {
    return this.#active + this.#waiters.size
  }

  /** Callers that wait for a connection to come free, beyond those for whom one is being opened. */
  get queued(): number {
    return Math.max(0, this.#waiters.size - this.#connector.opening)
  }

  /** Connections that are there, or on their way; not those that are being closed. */
  get openOrOpening(): number {
    return this.#open.size + this.#connector.opening
  }

  stats(): PoolStats {
    const { connectFailures, ...counters } = this.#counters
    const { min } = this.#settings
    const { troubled: _troubled, ...counts } = this.counts
    const now = this.#clock.now()
    const leases = sumLeases(this.#open, now)
    const use = this.#useTimes.read()
    return {
      takenAtMillis: now,
      ...counts,
      min,
      connecting: this.#connector.opening,
      settling: this.#settling,
      closing: this.#closing,
      ...counters,
      connectFailures: { ...connectFailures },
      wait: this.#waitTimes.read(),
      waitByLabel: this.#labelledWaits.read(),
      use,
      leasedMillis: use.sumMillis + leases.sum,
      capacityMillis: this.#capacity.read(now),
      longestLeaseMillis: leases.longest,
      suspected: leases.suspected,
      create: this.#createTimes.read(),
    }
  }

  /** The leases that are out, the oldest first. */
  leases(): readonly LeaseReport[] {
    return this.#reportLeases(this.#clock.now())
  }

  get #total(): number {
    return this.#open.size + this.#connector.opening + this.#closing
  }

  get #isSaturated(): boolean {
    const { max, maxWaiters } = this.#settings
    return this.#waiters.callers >= maxWaiters + max - this.#active
  }

  get #most(): number {
    return this.#settings.max + Math.min(1, this.#beyondMax)
  }

  get #active(): number {
    return this.#open.size - this.#idle.length - this.#settling
  }

  /** @internal A lease comes back. */
  takeBack(entry: PoolEntry<R>): void {
    if (!entry.lease?.own) entry.uses++
    const now = this.#endLease(entry)
    if (this.#draining && this.#waiters.size === 0) this.#close(entry, 'drain')
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
    const { lease } = entry
    if (!lease) return now
    entry.lease = undefined
    lease.endedAt = now
    entry.runningQuery = undefined
    if (lease.own) return now
    this.#useTimes.record(now - lease.since)
    if (lease.suspected) this.emit({ type: 'leak-returned', lease: reportLease(entry, lease, now) })
    if (releaseChannel.hasSubscribers) releaseChannel.publish({ pool: this.name, usedMillis: now - lease.since })
    return now
  }

  #lend(entry: PoolEntry<R>, since: number, now: number, borrower: Borrower | undefined, own: boolean): Lease<R> {
    const lease = new Lease(this, entry, now, borrower, own)
    entry.lease = lease
    this.#watch.lent(entry, now)
    if (own) return lease
    this.#counters.acquired++
    this.#waitTimes.record(now - since)
    if (borrower?.label !== undefined) this.#labelledWaits.record(borrower.label, now - since)
    if (acquireChannel.hasSubscribers) acquireChannel.publish({ pool: this.name, waitedMillis: now - since })
    return lease
  }

  /** The idle resource used last, where it can be lent as it is. */
  #takeReady(now: number): PoolEntry<R> | undefined {
    const entry = this.#idle.at(-1)
    if (!entry || entry.expiresAt <= now || this.#needsCheck(entry, now)) return undefined
    this.#idle.pop()
    this.#factory.rest?.(entry.resource, false)
    return entry
  }

  #needsCheck(entry: PoolEntry<R>, now: number): boolean {
    return this.#factory.check !== undefined && now - entry.idleSince > this.#settings.validateAfterIdleMillis
  }

  #wait({ now, deadline, borrower, signal, first, own }: Waiting): Promise<Lease<R>> {
    const { waiter, lease } = this.#waiters.join(now, deadline, borrower, { first, own })
    this.#serve()
    this.#change()
    if (!waiter.queued) return lease
    if (borrower?.scope) this.#watch.waitedInScope(now)
    return signal ? this.#waiters.leaveOnAbort(waiter, lease, signal) : lease
  }

  #turnAway(): Promise<never> {
    this.#counters.saturated++
    const error = new PoolSaturatedError(this.#state(), this.#settings.maxWaiters)
    this.emit({ type: 'saturated', error })
    return Promise.reject(error)
  }

  /** Gives what is idle to those who wait, and opens what is missing. */
  #serve(): void {
    while (this.#waiters.size > this.#expected) {
      const entry = this.#idle.pop()
      if (!entry) break
      this.#factory.rest?.(entry.resource, false)
      const now = this.#clock.now()
      if (entry.expiresAt <= now) this.#close(entry, 'lifetime')
      else if (this.#needsCheck(entry, now)) void this.#settle(entry, this.#check(entry))
      else this.#offer(entry, now)
    }
    const forWaiters = this.#waiters.size - this.#expected
    const forMin = this.#closingIdle > 0 || this.#draining ? 0 : this.#settings.min - this.#open.size
    while (Math.max(forWaiters, forMin) > this.#connector.opening && this.#total < this.#most) {
      if (!this.#connector.mayOpen({ urgent: forWaiters > 0 && this.#open.size === 0 })) break
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

  /**
   * Waits, but not for ever, for the verdict whether a resource can be lent. For a short while those who wait count on it;
   * after that others are opened for them.
   */
  async #settle(entry: PoolEntry<R>, verdict: Promise<boolean>): Promise<void> {
    const limit = this.#settings.connectTimeoutMillis
    const soon = Math.min(SOON_MILLIS, limit)
    const safe = verdict.catch(() => false)
    this.#beginSettling(entry)
    let fit = await this.#within<boolean | undefined>(soon, safe, undefined)
    if (fit === undefined) {
      this.#expectNoLonger(entry)
      fit = await this.#within(limit - soon, safe, false)
    }
    if (this.#endSettling(entry)) {
      if (!fit) this.#close(entry, 'unfit')
      else this.#offer(entry, this.#clock.now())
    }
    this.#serve()
  }

  #beginSettling(entry: PoolEntry<R>): void {
    // Asking may have brought to light that it was lost.
    if (entry.gone) return
    entry.settling = 'soon'
    this.#settling++
    this.#expected++
  }

  #expectNoLonger(entry: PoolEntry<R>): void {
    if (entry.settling !== 'soon') return
    entry.settling = 'late'
    this.#expected--
    this.#serve()
  }

  /** False where that has ended already, with the resource. */
  #endSettling(entry: PoolEntry<R>): boolean {
    if (!entry.settling) return false
    if (entry.settling === 'soon') this.#expected--
    entry.settling = false
    this.#settling--
    return true
  }

  /** Hands a resource that is fit to whoever waits longest, or lays it aside. */
  #offer(entry: PoolEntry<R>, now: number): void {
    if (entry.gone) return
    if (this.#open.size > this.#most && !this.#keeps(entry.resource)) {
      this.#close(entry, 'surplus')
      return
    }
    const waiter = this.#waiters.shift()
    if (waiter) {
      waiter.resolve(this.#lend(entry, waiter.since, now, waiter.borrower, waiter.own))
      return
    }
    if (this.#draining || this.#closingIdle > 0) {
      this.#close(entry, this.#draining ? 'drain' : 'idle')
      return
    }
    entry.idleSince = now
    this.#idle.push(entry)
    this.#factory.rest?.(entry.resource, true)
    this.#housekeeping.at(Math.min(now + this.#settings.idleTimeoutMillis, entry.expiresAt))
  }

  #opened(resource: R, millis: number, whenLost: (lost: (error: unknown) => void) => void): void {
    this.#counters.opened++
    this.#createTimes.record(millis)
    const now = this.#clock.now()
    const entry = new PoolEntry<R>(
      resource,
      now + this.#settings.maxLifetimeMillis * (1 - this.#random() * LIFETIME_JITTER),
    )
    this.#open.add(entry)
    this.emit({ type: 'opened', millis })
    // First of all, so that one which was lost on the way is not lent.
    whenLost((error) => this.#lost(entry, error))
    this.#offer(entry, now)
    this.#serve()
  }

  #connectFailed(failure: ConnectFailure, error: unknown, retryInMillis: number | null): void {
    this.#change()
    // Given up, because no caller waits for it any more.
    if (this.#draining && this.#waiters.size === 0) {
      this.#checkEmptied()
      return
    }
    this.#counters.connectFailures[failure]++
    // With others open the pool can still serve, and a password that was changed since need not stop it.
    if (failure === 'permanent' && this.#open.size === 0)
      this.#waiters.rejectAll(() => new ConnectError(this.name, error, this.#connector.trouble?.advice))
    this.emit({ type: 'connect-failed', failure, error, retryInMillis })
    if (this.#open.size === 0) this.#endHopelessWaits()
    this.#serve()
  }

  #hookFailed(error: unknown): boolean {
    const waiter = this.#waiters.shift()
    if (!waiter) return false
    this.#counters.connectFailures.permanent++
    waiter.reject(error)
    // The next caller's attempt may succeed, so that no pause is set.
    this.emit({ type: 'connect-failed', failure: 'permanent', error, retryInMillis: null })
    this.#change()
    this.#checkEmptied()
    this.#serve()
    return true
  }

  /** Whoever waits without a deadline waits for a connection to come free, not for a server to come back some day. */
  #endHopelessWaits(): void {
    const now = this.#clock.now()
    const hopeless = [...this.#waiters].filter(
      (each) => each.deadline === Infinity && now - each.since >= HOPELESS_MILLIS,
    )
    for (const waiter of hopeless) if (waiter.queued) this.#timeOut(waiter, now)
  }

  /** The connection died. A lease on it ends here: its slot comes back even if the borrower never releases. */
  #lost(entry: PoolEntry<R>, error: unknown): void {
    if (entry.gone) return
    const at = this.#idle.indexOf(entry)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#endLease(entry)
    this.#close(entry, 'lost', error)
    this.#serve()
  }

  #close(entry: PoolEntry<R> | undefined, reason: CloseReason, error?: unknown): Promise<void> | undefined {
    if (!entry || entry.gone) return undefined
    entry.gone = true
    this.#endSettling(entry)
    this.#open.delete(entry)
    this.#closing++
    this.#onGone?.(entry.resource, reason)
    this.#factory.rest?.(entry.resource, false)
    return this.#within(this.#settings.connectTimeoutMillis, this.#unmake(entry), undefined).then(() => {
      this.#closing--
      this.#counters.closed++
      this.emit(error === undefined ? { type: 'closed', reason } : { type: 'closed', reason, error })
      this.#checkEmptied()
      this.#serve()
      this.#change()
    })
  }

  /** The promise's value; `otherwise` where it rejects or takes longer than `millis`. */
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

  /** Closes what has been idle too long or has reached its age, and finds out when to look again. */
  #housekeep(): void {
    const now = this.#clock.now()
    const { idleTimeoutMillis, min } = this.#settings
    let next = Infinity
    for (const entry of [...this.#idle]) {
      // Whoever heard of the one before may have changed the bounds.
      if (entry.gone) continue
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
    this.#change()
    this.#housekeeping.stop()
    this.#watch.stop()
    const { promise: emptied, resolve } = Promise.withResolvers<void>()
    this.#emptied = resolve
    this.#waiters.rejectOwn(() => new PoolClosedError(this.name))
    this.#endIfDrained()
    await Promise.race([emptied, this.#outOfTime.promise])
    this.#waiters.rejectAll(() => new PoolClosedError(this.name))
    const forced = this.#open.size
    for (const entry of this.#open) {
      this.#endLease(entry)
      this.#close(entry, 'drain')
    }
    await emptied
    this.emit({ type: 'drained', forced })
  }

  /** A pool that is being drained has no use for connections when no caller waits any more. */
  #endIfDrained(): void {
    if (!this.#draining || this.#waiters.size > 0) return
    this.#connector.stop()
    for (const entry of this.#idle.splice(0)) this.#close(entry, 'drain')
    this.#checkEmptied()
  }

  #checkEmptied(): void {
    if (this.#total === 0) this.#emptied?.()
  }

  #change(): void {
    this.#changed?.resolve()
    this.#changed = undefined
  }

  /** What is known of a checkout that has ended, for errors of callers that go on using it. */
  endedCheckout(lease: Lease<R>): EndedCheckout {
    return endedCheckoutOf(lease, this.#clock.now())
  }

  #suspect(entry: PoolEntry<R>, lease: Lease<R>, now: number): void {
    this.#counters.leaks++
    this.#borrowers.suspected(now)
    this.emit({ type: 'leak', lease: reportLease(entry, lease, now) })
  }

  #reportLongQuery(entry: PoolEntry<R>, query: RunningQuery, now: number): void {
    if (!entry.lease) return
    const report = reportQuery(query, entry.queryingSince, now)
    this.emit({ type: 'long-query', query: report, lease: reportLease(entry, entry.lease, now) })
  }

  #reportDeadlock(now: number): void {
    this.#counters.deadlocks++
    this.emit({ type: 'deadlock', leases: this.#reportLeases(now), waiting: this.#waiters.size })
  }

  /** The oldest first. */
  #reportLeases(now: number): LeaseReport[] {
    this.#watch.refresh(now)
    const reports = [...this.#open].flatMap((entry) => (entry.lease ? [reportLease(entry, entry.lease, now)] : []))
    return reports.sort((a, b) => b.heldMillis - a.heldMillis)
  }

  #state(): PoolState {
    const { troubled: _troubled, ...counts } = this.counts
    return {
      name: this.name,
      ...counts,
      connecting: this.#connector.opening,
      oldestLeases: this.#reportLeases(this.#clock.now()).slice(0, 3),
      deadlocked: this.#watch.deadlocked,
      trouble: this.#connector.trouble ?? null,
    }
  }

  /**
   * Tells an event to `onEvent` and to the diagnostics channels; drivers tell theirs through it, too. A listener that throws
   * does not take the pool with it: its error surfaces as uncaught, as from node:events.
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
