import { type Clock, systemClock } from '../clock.ts'
import { type Borrower, BorrowerIdentification } from './borrower.ts'
import { CapacityTime } from './capacity-time.ts'
import { acquireChannel, publish, releaseChannel } from './channels.ts'
import { DurationHistogram } from './durations.ts'
import { PoolEntry } from './entry.ts'
import { LabelledWaits } from './label.ts'
import { Lease } from './lease.ts'
import { reportLease, reportQuery, sumLeases } from './lease-report.ts'
import { LeaseWatch } from './lease-watch.ts'
import type { PoolEvent, PoolEventListener } from './pool-events.ts'
import type { PoolStats } from './pool-stats.ts'
import type { Activity, RunningQuery } from './resource-factory.ts'
import { WaiterQueue } from './waiter-queue.ts'

export interface LeaseLedgerOptions<R> {
  /** The pool's. */
  readonly name: string
  /** The pool's, which its owner may change. */
  readonly max: () => number
  readonly leakThresholdMillis: number
  readonly stacks: 'always' | 'adaptive' | 'never'
  readonly longQueryMillis: number
  readonly activityOf: (resource: R) => Activity
  readonly runningQueryOf: (resource: R) => RunningQuery | undefined
  readonly isListening?: (resource: R) => boolean
  readonly onEvent?: PoolEventListener | undefined
  readonly clock?: Clock
}

/** One caller of somebody else's pool, from asking to having. */
export interface Request {
  readonly since: number
  readonly borrower: Borrower | undefined
}

/** Nothing is lent here, so there is nothing to take back. */
const NOBODY = { takeBack() {}, giveUp() {} }

/**
 * Keeps the book of what somebody else's pool lends, and tells it on the diagnostics channels: how long callers wait and hold,
 * and which leases look like leaks.
 */
export class LeaseLedger<R> {
  readonly #options: LeaseLedgerOptions<R>
  readonly #clock: Clock
  readonly #entries = new Map<R, PoolEntry<R>>()
  readonly #watch: LeaseWatch<R>
  readonly #wait = new DurationHistogram()
  readonly #labelledWaits = new LabelledWaits()
  readonly #use = new DurationHistogram()
  readonly #capacity: CapacityTime
  #leaks = 0
  readonly #borrowers: BorrowerIdentification

  constructor(options: LeaseLedgerOptions<R>) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#capacity = new CapacityTime(options.max(), this.#clock.now())
    this.#borrowers = new BorrowerIdentification(options.stacks, options.leakThresholdMillis)
    this.#watch = new LeaseWatch<R>({
      clock: this.#clock,
      leakThresholdMillis: options.leakThresholdMillis,
      longQueryMillis: options.longQueryMillis,
      leased: () => this.#entries.values(),
      // Who waits in it, a pool of somebody else's does not say.
      waiters: new WaiterQueue(),
      activityOf: options.activityOf,
      runningQueryOf: options.runningQueryOf,
      isListening: options.isListening ?? (() => false),
      longQuery: (entry, query, now) => this.#reportLongQuery(entry, query, now),
      suspected: (entry, lease, now) => this.#suspect(entry, lease, now),
      deadlocked: () => {},
    })
  }

  /** Somebody asks. To be called in their own call stack. */
  asked(below: (...args: never[]) => unknown): Request {
    const since = this.#clock.now()
    return { since, borrower: this.#borrowers.identify(since, below) }
  }

  lent(resource: R, { since, borrower }: Request): void {
    const now = this.#clock.now()
    this.#wait.record(now - since)
    if (borrower?.label !== undefined) this.#labelledWaits.record(borrower.label, now - since)
    const entry = new PoolEntry(resource, Infinity)
    entry.lease = new Lease(NOBODY, entry, now, borrower)
    this.#entries.set(resource, entry)
    this.#watch.lent(entry, now)
    if (acquireChannel.hasSubscribers) acquireChannel.publish({ pool: this.#options.name, waitedMillis: now - since })
  }

  returned(resource: R): void {
    const entry = this.#entries.get(resource)
    this.#entries.delete(resource)
    if (!entry?.lease) return
    const now = this.#clock.now()
    const usedMillis = now - entry.lease.since
    this.#use.record(usedMillis)
    if (entry.lease.suspected) this.#emit({ type: 'leak-returned', lease: reportLease(entry, entry.lease, now) })
    if (releaseChannel.hasSubscribers) releaseChannel.publish({ pool: this.#options.name, usedMillis })
  }

  stats(): Pick<
    PoolStats,
    | 'takenAtMillis'
    | 'max'
    | 'active'
    | 'acquired'
    | 'leaks'
    | 'suspected'
    | 'wait'
    | 'waitByLabel'
    | 'use'
    | 'leasedMillis'
    | 'capacityMillis'
    | 'longestLeaseMillis'
  > {
    const now = this.#clock.now()
    const max = this.#options.max()
    this.#capacity.resize(max, now)
    const wait = this.#wait.read()
    const use = this.#use.read()
    const { sum, longest, suspected } = sumLeases(this.#entries.values(), now)
    return {
      takenAtMillis: now,
      max,
      active: this.#entries.size,
      acquired: wait.count,
      leaks: this.#leaks,
      suspected,
      wait,
      waitByLabel: this.#labelledWaits.read(),
      use,
      leasedMillis: use.sumMillis + sum,
      capacityMillis: this.#capacity.read(now),
      longestLeaseMillis: longest,
    }
  }

  stop(): void {
    this.#watch.stop()
  }

  #suspect(entry: PoolEntry<R>, lease: Lease<R>, now: number): void {
    this.#leaks++
    this.#borrowers.suspected(now)
    this.#emit({ type: 'leak', lease: reportLease(entry, lease, now) })
  }

  #reportLongQuery(entry: PoolEntry<R>, query: RunningQuery, now: number): void {
    if (!entry.lease) return
    const report = reportQuery(query, entry.queryingSince, now)
    this.#emit({ type: 'long-query', query: report, lease: reportLease(entry, entry.lease, now) })
  }

  #emit(event: PoolEvent): void {
    publish(this.#options.name, event)
    this.#options.onEvent?.(event)
  }
}
