import type { Clock } from '../clock.ts'
import { Alarm } from './alarm.ts'
import type { PoolEntry } from './entry.ts'
import type { Lease } from './lease.ts'
import type { Activity, RunningQuery } from './resource-factory.ts'
import type { Scope } from './scope.ts'
import type { WaiterQueue } from './waiter-queue.ts'

/** A leak is looked for so many times within its threshold. */
const LOOKS_FOR_LEAK = 4
/** The same for a long query; one that has been seen is looked at again when it is due. */
const LOOKS_FOR_LONG_QUERY = 2
/** A query may take so long without sending anything before its lease is called quiet, however short the threshold is. */
const QUIET_QUERY_MILLIS = 2_000
/** A deadlock is looked for so often while somebody waits, and called one after so long without activity. */
const DEADLOCK_LOOK_MILLIS = 500
const DEADLOCK_QUIET_MILLIS = 1_000

export interface LeaseWatchOptions<R> {
  readonly clock: Clock
  readonly leakThresholdMillis: number
  readonly longQueryMillis: number
  /** What is lent at the moment; entries without a lease are passed over. */
  readonly leased: () => Iterable<PoolEntry<R>>
  readonly waiters: WaiterQueue<R>
  readonly activityOf: (resource: R) => Activity
  readonly runningQueryOf: (resource: R) => RunningQuery | undefined
  readonly isListening: (resource: R) => boolean
  /** A query has been running for `longQueryMillis`: told once a query. */
  readonly longQuery: (entry: PoolEntry<R>, query: RunningQuery, now: number) => void
  /** A lease has been without activity for the threshold: told once a lease. */
  readonly suspected: (entry: PoolEntry<R>, lease: Lease<R>, now: number) => void
  /** Every holder of a lease waits for another one: told once until that has changed. */
  readonly deadlocked: (now: number) => void
}

/**
 * Looks now and then at what is lent, for leaks, long queries and deadlocks. What counts is whether bytes move: not the age of a
 * lease, and not whether a query is open, which a cursor that is no longer read stays for ever. It costs the hot path one comparison; the looking is done by a timer.
 */
export class LeaseWatch<R> {
  readonly #options: LeaseWatchOptions<R>
  readonly #alarm: Alarm
  readonly #lookEveryMillis: number
  /** True while a deadlock that has been told goes on. */
  deadlocked = false

  constructor(options: LeaseWatchOptions<R>) {
    this.#options = options
    this.#lookEveryMillis = Math.min(
      options.leakThresholdMillis / LOOKS_FOR_LEAK,
      options.longQueryMillis / LOOKS_FOR_LONG_QUERY,
    )
    this.#alarm = new Alarm(options.clock, () => this.#look(), { background: true })
  }

  /** A lease was given. */
  lent(entry: PoolEntry<R>, now: number): void {
    entry.quietSince = now
    entry.activity = this.#options.activityOf(entry.resource)
    entry.runningQuery = undefined
    this.#alarm.at(now + this.#lookEveryMillis)
  }

  /** Somebody waits who holds a lease already. */
  waitedInScope(now: number): void {
    this.#alarm.at(now + DEADLOCK_LOOK_MILLIS)
  }

  /** Brings `quietSince` up to date, as far as it can be told. */
  refresh(now: number): void {
    for (const entry of this.#options.leased()) if (entry.lease) this.#noteActivity(entry, now)
  }

  stop(): void {
    this.#alarm.stop()
  }

  #look(): void {
    const now = this.#options.clock.now()
    const leased = [...this.#options.leased()].filter((entry) => entry.lease)
    for (const entry of leased) this.#lookAt(entry, now)
    this.#lookForDeadlock(leased, now)
    if (leased.length === 0) return
    this.#alarm.at(now + this.#lookEveryMillis)
    if (this.#waitsInScope()) this.#alarm.at(now + DEADLOCK_LOOK_MILLIS)
  }

  #noteActivity(entry: PoolEntry<R>, now: number): void {
    const activity = this.#options.activityOf(entry.resource)
    if (activity !== entry.activity) entry.quietSince = now
    entry.activity = activity
    const query = this.#options.runningQueryOf(entry.resource)
    if (query?.key !== entry.runningQuery?.key) {
      entry.queryingSince = now
      entry.longQueryReported = false
    }
    entry.runningQuery = query
  }

  #lookAt(entry: PoolEntry<R>, now: number): void {
    this.#noteActivity(entry, now)
    const { lease } = entry
    if (!lease) return
    this.#lookAtQuery(entry, now)
    if (lease.suspected || !this.#isLeakLike(entry, now)) return
    lease.suspected = true
    this.#options.suspected(entry, lease, now)
  }

  #lookAtQuery(entry: PoolEntry<R>, now: number): void {
    const { runningQuery: query, longQueryReported, queryingSince } = entry
    if (!query || longQueryReported) return
    const due = queryingSince + this.#options.longQueryMillis
    if (now < due) {
      this.#alarm.at(due)
      return
    }
    entry.longQueryReported = true
    this.#options.longQuery(entry, query, now)
  }

  #isLeakLike({ resource, quietSince, runningQuery, longQueryReported }: PoolEntry<R>, now: number): boolean {
    const { leakThresholdMillis, isListening } = this.#options
    const quietMillis = now - quietSince
    if (quietMillis < leakThresholdMillis || isListening(resource)) return false
    // Whether the server still runs it or its answer was lost cannot be told from here, so it is reported once, either way.
    return !runningQuery || (!longQueryReported && quietMillis >= QUIET_QUERY_MILLIS)
  }

  #lookForDeadlock(leased: readonly PoolEntry<R>[], now: number): void {
    const quiet = leased.every((entry) => !entry.runningQuery && now - entry.quietSince >= DEADLOCK_QUIET_MILLIS)
    const found = quiet && leased.length > 0 && everyHolderWaits(leased, this.#options.waiters)
    if (found && !this.deadlocked) this.#options.deadlocked(now)
    this.deadlocked = found
  }

  #waitsInScope(): boolean {
    for (const { borrower } of this.#options.waiters) if (borrower?.scope) return true
    return false
  }
}

/** A lease is kept from ending where somebody waits in its scope, or in one opened inside of that. */
function everyHolderWaits<R>(leased: readonly PoolEntry<R>[], waiters: WaiterQueue<R>): boolean {
  const waiting = new Set<Scope>()
  for (const { borrower } of waiters) {
    for (let scope = borrower?.scope; scope; scope = scope.parent) waiting.add(scope)
  }
  return leased.every(({ lease }) => lease?.borrower?.scope !== undefined && waiting.has(lease.borrower.scope))
}
