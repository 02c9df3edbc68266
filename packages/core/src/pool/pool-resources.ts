import type { Clock } from '../clock.ts'
import { Alarm } from './alarm.ts'
import type { ConnectFailure } from './connect-failure.ts'
import type { BudgetMember, ConnectionBudget } from './connection-budget.ts'
import { Connector, type ConnectorOptions } from './connector.ts'
import { DurationHistogram } from './durations.ts'
import { PoolEntry } from './lease.ts'
import type { Limits } from './limits.ts'
import { PoolEntries } from './pool-entries.ts'
import type { CloseReason, PoolEvent } from './pool-events.ts'
import type { PoolStats } from './pool-stats.ts'
import type { ResourceFactory } from './resource-factory.ts'

/** A validation or reset that takes longer no longer counts as an available connection: another one is opened for the waiter. */
const VALIDATION_GRACE_MILLIS = 100

/** A connection lives for maxLifetimeMillis less a random part of up to this share, so that a fleet's connections do not all expire at once. */
const LIFETIME_JITTER = 0.1

/** A connection serves its own pool's callers for this long before it is closed for a caller of another pool with the same budget. */
const KEPT_MILLIS = 50

export interface PoolResourcesOptions<R> extends Pick<ConnectorOptions<R>, 'classify' | 'advise'> {
  readonly factory: ResourceFactory<R>
  readonly clock: Clock
  readonly random: () => number
  readonly limits: Limits
  /** Shared with other pools. */
  readonly budget: ConnectionBudget | undefined
  readonly isPinned: (resource: R) => boolean
  readonly onClosing: ((resource: R, reason: CloseReason) => void) | undefined
  readonly emit: (event: PoolEvent) => void
  readonly hasWaiters: () => boolean
  /** Callers that may get a connection, without those for whom one is being validated. */
  readonly unserved: () => number
  /** When the caller that waits longest began to wait; Infinity if none waits. */
  readonly waitingSince: () => number
  /** Lends a resource to the waiter whose turn it is. Returns false if no caller waits. */
  readonly lendToWaiter: (entry: PoolEntry<R>, now: number) => boolean
  /** Called when a resource was added, before it is ready. */
  readonly onAdded: () => void
  /** Called when a resource was lost, before it is closed. */
  readonly onLost: (entry: PoolEntry<R>) => void
  /** Called when a resource has been closed, or when an attempt to open one has ended without a resource. */
  readonly onReduced: () => void
  /** Called when an attempt to open a resource has failed. It emits the event. */
  readonly onConnectFailed: ConnectorOptions<R>['onFailed']
  /** The app's own code failed on a new connection: rejects the waiter whose turn it is. Returns false if no caller waits. */
  readonly rejectWaiter: (error: unknown) => boolean
  /** Called when waiters may be served, or resources may be opened. */
  readonly onChanged: () => void
}

/** Opens, validates, resets and closes the resources of a pool. `PoolEntries` holds the open ones and their states. */
export class PoolResources<R> implements BudgetMember {
  readonly entries: PoolEntries<R>
  readonly #options: PoolResourcesOptions<R>
  readonly #factory: ResourceFactory<R>
  readonly #limits: Limits
  readonly #connector: Connector<R>
  readonly #housekeeping: Alarm
  readonly #connectTimes = new DurationHistogram()
  readonly #connectFailures = { full: 0, unavailable: 0, permanent: 0 }
  #opened = 0
  #closed = 0
  #isDraining = false
  /** How many resources were lost, which is when a resource ends although the pool has not closed it. */
  #losses = 0
  /** Pending calls of `closeIdle`: meanwhile no resource stays idle. */
  #closingIdle = 0
  /** Resolved at the next change that a pending `closeIdle` may wait for. */
  #nextChange: PromiseWithResolvers<void> | undefined

  constructor(options: PoolResourcesOptions<R>) {
    const { factory, clock, random, limits, classify, advise } = options
    this.#options = options
    this.#factory = factory
    this.#limits = limits
    this.entries = new PoolEntries((resource, idle) => factory.setIdle?.(resource, idle))
    this.#housekeeping = new Alarm(clock, () => this.housekeep(), { background: true })
    this.#connector = new Connector({
      ...{ factory, clock, random, classify, advise },
      connectTimeoutMillis: () => limits.settings.connectTimeoutMillis,
      onOpened: (resource, millis, whenLost) => this.#onOpened(resource, millis, whenLost),
      onFailed: (failure, error, retryInMillis) => this.#onConnectFailed(failure, error, retryInMillis),
      onHookFailed: (error) => this.#onHookFailed(error),
      onReady: () => options.onChanged(),
    })
  }

  /** Attempts to open a resource that are in progress. */
  get opening(): number {
    return this.#connector.opening
  }

  /** Open, opening and closing resources. */
  get total(): number {
    return this.entries.open + this.#connector.opening + this.entries.closing
  }

  /** The last failure to open a resource; undefined if the last attempt succeeded. */
  get trouble(): Connector<R>['trouble'] {
    return this.#connector.trouble
  }

  /** Whether waiters have to wait for resources that are in use, because no other one can be expected. */
  get isAtLimit(): boolean {
    const isGrowing = this.#connector.opening > 0 && this.#connector.trouble === undefined
    return this.entries.open > 0 && !isGrowing
  }

  /** True if no resource is idle, and none may be opened. */
  get isExhausted(): boolean {
    const { budget } = this.#options
    const hasRoom = this.total < this.#limits.maxOpen && (budget === undefined || budget.used < budget.max)
    return this.entries.idle === 0 && !(hasRoom && this.#connector.trouble === undefined)
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  stats(): Pick<PoolStats, 'opened' | 'closed' | 'connectFailures' | 'connect'> {
    return {
      opened: this.#opened,
      closed: this.#closed,
      connectFailures: { ...this.#connectFailures },
      connect: this.#connectTimes.read(),
    }
  }

  // --- Lending -------------------------------------------------------------------------------------------------------

  /** The most recently used idle resource, if it can be lent without validation. */
  findReady(now: number): PoolEntry<R> | undefined {
    const entry = this.entries.lastIdle
    return entry && entry.expiresAt > now && !this.#needsValidation(entry, now - entry.idleSince) ? entry : undefined
  }

  /** Lends the most recently used idle resource to a waiter, after a validation if it needs one. Returns false if none is idle. */
  offerIdle(): boolean {
    const entry = this.entries.lastIdle
    if (!entry) return false
    const now = this.#options.clock.now()
    if (entry.expiresAt <= now) void this.close(entry, 'lifetime')
    else if (this.#needsValidation(entry, now - entry.idleSince)) void this.#validate(entry)
    else this.makeReady(entry, now)
    return true
  }

  /** Prepares a released resource for its next lease. */
  recycle(entry: PoolEntry<R>, now: number): void {
    if (this.#isDraining && !this.#options.hasWaiters()) void this.close(entry, 'drain')
    else if (entry.isRetired) void this.close(entry, 'retired')
    else if (entry.uses >= this.#limits.settings.maxUses) void this.close(entry, 'uses')
    else if (entry.expiresAt <= now) void this.close(entry, 'lifetime')
    else {
      const isFit = this.#reset(entry)
      if (isFit === true && this.#needsValidation(entry, 0)) void this.#validate(entry)
      else if (isFit === true) this.makeReady(entry, now)
      else if (isFit === false) void this.close(entry, 'invalid')
      else void this.#awaitVerdict(entry, isFit)
    }
  }

  /** Whether a leased resource will be lent again. */
  isLasting(entry: PoolEntry<R>): boolean {
    const { settings, maxOpen } = this.#limits
    if (entry.isRetired || entry.uses + 1 >= settings.maxUses || this.#closingIdle > 0) return false
    return this.entries.open <= maxOpen && entry.expiresAt > this.#options.clock.now()
  }

  /** A valid resource is lent, or it becomes idle, or it is closed because the pool has too many. */
  makeReady(entry: PoolEntry<R>, now: number): void {
    if (entry.state === 'closing') return
    if (entry.isRetired) void this.close(entry, 'retired')
    else if (this.entries.open > this.#limits.maxOpen && !this.#options.isPinned(entry.resource))
      void this.close(entry, 'over-max')
    else if (this.#isClaimed(entry, now)) void this.close(entry, 'budget')
    else if (!this.#options.lendToWaiter(entry, now)) this.#keep(entry, now)
  }

  #keep(entry: PoolEntry<R>, now: number): void {
    if (this.#isDraining || this.#closingIdle > 0) {
      void this.close(entry, this.#isDraining ? 'drain' : 'idle')
      return
    }
    entry.idleSince = now
    this.entries.move(entry, 'idle')
    this.#housekeeping.at(Math.min(now + this.#limits.settings.idleTimeoutMillis, entry.expiresAt))
  }

  // --- Opening -------------------------------------------------------------------------------------------------------

  /** Opens resources for waiters, and up to `min`. */
  openMissing(forWaiters: number): void {
    const { settings, maxOpen } = this.#limits
    const forMin = this.#closingIdle > 0 || this.#isDraining ? 0 : settings.min - this.entries.open
    while (Math.max(forWaiters, forMin) > this.#connector.opening && this.total < maxOpen) {
      if (!this.#mayOpen || this.#options.budget?.admits(this) === false) break
      this.#connector.open()
    }
  }

  get #mayOpen(): boolean {
    return this.#connector.mayOpen({ urgent: this.entries.open === 0 && this.#options.unserved() > 0 })
  }

  #onOpened(resource: R, millis: number, whenLost: (lost: (error: unknown) => void) => void): void {
    this.#opened++
    this.#connectTimes.record(millis)
    const now = this.#options.clock.now()
    const lifetimeMillis = this.#limits.settings.maxLifetimeMillis * (1 - this.#options.random() * LIFETIME_JITTER)
    const entry = new PoolEntry<R>(resource, now, now + lifetimeMillis)
    entry.lossesWhenProven = this.#losses
    this.entries.add(entry)
    this.#options.onAdded()
    this.#options.emit({ type: 'opened', millis })
    // Before it is ready, so that a resource that was lost meanwhile is not lent.
    whenLost((error) => this.#onLost(entry, error))
    this.makeReady(entry, now)
    this.#options.onChanged()
  }

  #onConnectFailed(failure: ConnectFailure, error: unknown, retryInMillis: number | null): void {
    this.notifyChanged()
    // The attempt was aborted, because no caller waits for it any more.
    if (this.#isDraining && !this.#options.hasWaiters()) {
      this.#options.onReduced()
      return
    }
    this.#connectFailures[failure]++
    this.#options.onConnectFailed(failure, error, retryInMillis)
    this.#options.onChanged()
    this.#options.budget?.onReduced(this)
  }

  #onHookFailed(error: unknown): boolean {
    if (!this.#options.rejectWaiter(error)) return false
    this.#connectFailures.permanent++
    // No pause: the next caller's attempt may succeed.
    this.#options.emit({ type: 'connect-failed', failure: 'permanent', error, retryInMillis: null })
    this.notifyChanged()
    this.#options.onReduced()
    this.#options.onChanged()
    return true
  }

  // --- Validating ----------------------------------------------------------------------------------------------------

  /**
   * What ends one connection often ends the others a moment later: a server that stops, a failover, a firewall. So after a loss, each
   * resource is validated once before it is lent again, however short it was idle. SQLAlchemy goes further: it replaces the whole pool.
   */
  #needsValidation(entry: PoolEntry<R>, idleMillis: number): boolean {
    const { validateAfterIdleMillis } = this.#limits.settings
    if (this.#factory.validate === undefined || validateAfterIdleMillis === Infinity) return false
    return entry.lossesWhenProven < this.#losses || idleMillis > validateAfterIdleMillis
  }

  async #validate(entry: PoolEntry<R>): Promise<void> {
    if (entry.state === 'closing') return
    this.entries.move(entry, 'validating')
    await this.#awaitVerdict(entry, this.#isAlive(entry))
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

  /**
   * Waits for the result of a validation or reset. After `VALIDATION_GRACE_MILLIS`, other connections are opened for the
   * waiters; after `connectTimeoutMillis`, the resource counts as invalid.
   */
  async #awaitVerdict(entry: PoolEntry<R>, verdict: Promise<boolean>): Promise<void> {
    const limit = this.#limits.settings.connectTimeoutMillis
    const grace = Math.min(VALIDATION_GRACE_MILLIS, limit)
    const safe = verdict.catch(() => false)
    // The validation itself may have found that the connection was lost.
    if (entry.state !== 'closing') this.entries.move(entry, 'validating')
    let isFit = await this.#within<boolean | undefined>(grace, safe, undefined)
    if (isFit === undefined) {
      this.entries.markSlow(entry)
      this.#options.onChanged()
      isFit = await this.#within(limit - grace, safe, false)
    }
    entry.lossesWhenProven = this.#losses
    if (isFit) this.makeReady(entry, this.#options.clock.now())
    else void this.close(entry, 'invalid')
    this.#options.onChanged()
  }

  /** The promise's value; `otherwise` if it rejects or takes longer than `millis`. */
  #within<T>(millis: number, promise: Promise<T>, otherwise: T): Promise<T> {
    return new Promise((resolve) => {
      const cancel = millis === Infinity ? undefined : this.#options.clock.after(millis, () => resolve(otherwise))
      promise.then(resolve, () => resolve(otherwise)).finally(cancel)
    })
  }

  // --- Closing -------------------------------------------------------------------------------------------------------

  /** Does nothing for a resource that is closing already. */
  close(entry: PoolEntry<R>, reason: CloseReason, error?: unknown): Promise<void> | undefined {
    if (entry.state === 'closing') return undefined
    const { onClosing, emit, onReduced, onChanged } = this.#options
    this.entries.move(entry, 'closing')
    onClosing?.(entry.resource, reason)
    return this.#within(this.#limits.settings.connectTimeoutMillis, this.#closeResource(entry), undefined).then(() => {
      this.entries.closed()
      this.#closed++
      emit(error === undefined ? { type: 'closed', reason } : { type: 'closed', reason, error })
      onReduced()
      onChanged()
      this.#options.budget?.onReduced(this)
      this.notifyChanged()
    })
  }

  // Async for the same reason as `#isAlive`.
  async #closeResource(entry: PoolEntry<R>): Promise<void> {
    await this.#factory.close(entry.resource)
  }

  /** Its slot becomes free even if its caller never releases the lease. */
  #onLost(entry: PoolEntry<R>, error: unknown): void {
    if (entry.state === 'closing') return
    this.#losses++
    this.#options.onLost(entry)
    void this.close(entry, 'lost', error)
    this.#options.onChanged()
  }

  /** Closes matching idle resources. Those in use follow at their release. */
  retire(matches: (resource: R) => boolean): void {
    for (const entry of [...this.entries]) {
      if (!matches(entry.resource)) continue
      entry.isRetired = true
      if (entry.state === 'idle') void this.close(entry, 'retired')
    }
  }

  /** After a smaller `max`: closes idle resources above it. Those in use follow at their release. */
  closeSurplus(): void {
    for (const entry of this.entries.allIdle) {
      if (this.entries.open <= this.#limits.settings.max) break
      if (entry.state === 'idle' && !this.#options.isPinned(entry.resource)) void this.close(entry, 'over-max')
    }
  }

  /**
   * Closes idle resources, and while `isUnused` also those that are being opened, validated or reset. No resource stays idle until it
   * resolves.
   */
  async closeIdle(isUnused: () => boolean): Promise<void> {
    this.#closingIdle++
    await Promise.all(this.entries.allIdle.map((entry) => this.close(entry, 'idle')))
    while (isUnused() && this.total > 0) {
      this.#nextChange ??= Promise.withResolvers()
      await this.#nextChange.promise
    }
    this.#closingIdle--
  }

  /** Something has changed that a pending `closeIdle` may wait for. */
  notifyChanged(): void {
    this.#nextChange?.resolve()
    this.#nextChange = undefined
  }

  /** Closes resources that were idle for too long or are too old, and schedules the next check. */
  housekeep(): void {
    const now = this.#options.clock.now()
    const { idleTimeoutMillis, min } = this.#limits.settings
    let next = Infinity
    for (const entry of this.entries.allIdle) {
      // A listener of the previous close may have changed the bounds.
      if (entry.state !== 'idle') continue
      const idleUntil = this.entries.open > min ? entry.idleSince + idleTimeoutMillis : Infinity
      if (Math.min(idleUntil, entry.expiresAt) > now) {
        next = Math.min(next, idleUntil, entry.expiresAt)
        continue
      }
      void this.close(entry, entry.expiresAt <= now ? 'lifetime' : 'idle')
    }
    this.#housekeeping.at(next)
    this.#options.onChanged()
  }

  /** From now on no resource stays idle without a waiter. */
  beginDrain(): void {
    this.#isDraining = true
    this.notifyChanged()
    this.#housekeeping.stop()
  }

  /** No caller waits any more: aborts attempts to open resources, and closes the idle ones. */
  endDrain(): void {
    this.#connector.stop()
    for (const entry of this.entries.allIdle) void this.close(entry, 'drain')
  }

  // --- As a member of a budget ---------------------------------------------------------------------------------------

  get closing(): number {
    return this.entries.closing
  }

  get missing(): number {
    const room = Math.max(0, this.#limits.maxOpen - this.total)
    const missing = Math.max(0, this.#options.unserved() - this.#connector.opening)
    return this.#mayOpen ? Math.min(missing, room) : 0
  }

  get waitingSince(): number {
    return this.#options.waitingSince()
  }

  get idleSince(): number {
    return this.entries.firstIdle?.idleSince ?? Infinity
  }

  closeLongestIdle(): void {
    const entry = this.entries.firstIdle
    if (entry) void this.close(entry, 'budget')
  }

  serve(): void {
    this.#options.onChanged()
  }

  /** Whether another pool with the same budget needs the connection more. */
  #isClaimed(entry: PoolEntry<R>, now: number): boolean {
    const { budget } = this.#options
    if (!budget || this.#options.isPinned(entry.resource)) return false
    const { waitingSince } = this
    if (waitingSince !== Infinity && now - entry.openedAt < KEPT_MILLIS) return false
    return budget.claims(this, waitingSince)
  }
}
