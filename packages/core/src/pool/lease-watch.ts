import type { Clock } from '../clock.ts'
import { Alarm } from './alarm.ts'
import type { PoolEntry } from './entry.ts'
import type { Lease } from './lease.ts'
import type { Activity } from './resource-factory.ts'
import type { Scope } from './scope.ts'
import type { WaiterQueue } from './waiter-queue.ts'

/** A leak is looked for so many times within the threshold. */
const LOOKS_PER_THRESHOLD = 4
/** A deadlock is looked for so often while somebody waits, and called one after so long without activity. */
const DEADLOCK_LOOK_MILLIS = 500
const DEADLOCK_QUIET_MILLIS = 1_000

export interface LeaseWatchOptions<R> {
  readonly clock: Clock
  readonly leakThresholdMillis: number
  /** What is lent at the moment; entries without a lease are passed over. */
  readonly leased: () => Iterable<PoolEntry<R>>
  readonly waiters: WaiterQueue<R>
  readonly activityOf: (resource: R) => Activity
  /** A lease has been without activity for the threshold: told once a lease. */
  readonly suspected: (entry: PoolEntry<R>, lease: Lease<R>, now: number) => void
  /** Every holder of a lease waits for another one: told once until that has changed. */
  readonly deadlocked: (now: number) => void
}

/**
 * Looks now and then at what is lent, for leaks and for deadlocks. Activity is what counts, not age: a long migration is no
 * leak. It costs the hot path one comparison; the looking is done by a timer.
 */
export class LeaseWatch<R> {
  readonly #options: LeaseWatchOptions<R>
  readonly #alarm: Alarm
  /** True while a deadlock that has been told goes on. */
  deadlocked = false

  constructor(options: LeaseWatchOptions<R>) {
    this.#options = options
    this.#alarm = new Alarm(options.clock, () => this.#look(), { background: true })
  }

  /** A lease was given. */
  lent(entry: PoolEntry<R>, now: number): void {
    entry.quietSince = now
    entry.activity = this.#options.activityOf(entry.resource)
    this.#alarm.at(now + this.#options.leakThresholdMillis / LOOKS_PER_THRESHOLD)
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
    this.#alarm.at(now + this.#options.leakThresholdMillis / LOOKS_PER_THRESHOLD)
    if (this.#waitsInScope()) this.#alarm.at(now + DEADLOCK_LOOK_MILLIS)
  }

  #noteActivity(entry: PoolEntry<R>, now: number): void {
    const activity = this.#options.activityOf(entry.resource)
    if (activity !== 'busy' && activity === entry.activity) return
    entry.activity = activity
    entry.quietSince = now
  }

  #lookAt(entry: PoolEntry<R>, now: number): void {
    this.#noteActivity(entry, now)
    const { lease } = entry
    if (!lease || lease.suspected || now - entry.quietSince < this.#options.leakThresholdMillis) return
    lease.suspected = true
    this.#options.suspected(entry, lease, now)
  }

  #lookForDeadlock(leased: readonly PoolEntry<R>[], now: number): void {
    const quiet = leased.every((entry) => now - entry.quietSince >= DEADLOCK_QUIET_MILLIS)
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
