import type { Clock } from '../clock.ts'
import { Alarm } from './alarm.ts'
import { findDeadlocks } from './find-deadlocks.ts'
import type { Lane } from './lane.ts'
import type { TrackedLease } from './lease.ts'
import type { LeaseActivity, RunningQuery } from './resource-factory.ts'
import type { Waiter } from './waiter-queue.ts'

/** Leases are checked this many times within the leak threshold. */
const CHECKS_PER_LEAK_THRESHOLD = 4
/** The same for the long-query threshold; a query that was seen once is checked again exactly when it is due. */
const CHECKS_PER_LONG_QUERY_THRESHOLD = 2
/** A query that sends nothing for less than this is not called quiet, however short the leak threshold is. */
const QUIET_QUERY_MILLIS = 2_000
/** Interval of the checks for a deadlock while a caller waits inside a scope, and how long every lease must have been quiet. */
const DEADLOCK_CHECK_MILLIS = 500
const DEADLOCK_QUIET_MILLIS = 1_000

/** Access to the activity of a leased resource. */
export interface LeaseProbe<R> {
  activityOf(resource: R): LeaseActivity
  runningQueryOf(resource: R): RunningQuery | undefined
  isListening(resource: R): boolean
}

export interface LeakDetectorOptions<R> {
  readonly clock: Clock
  readonly leakThresholdMillis: number
  readonly longQueryMillis: number
  /** The current leases. */
  readonly leases: () => Iterable<TrackedLease<R>>
  readonly waiters: Iterable<Waiter<R>>
  readonly probe: LeaseProbe<R>
  /** Called once for each query that has been running for `longQueryMillis`. */
  readonly onLongQuery: (lease: TrackedLease<R>, query: RunningQuery, now: number) => void
  /** Called once for each lease without activity for `leakThresholdMillis`. */
  readonly onLeak: (lease: TrackedLease<R>, now: number) => void
  /** Called once for each lane whose callers can get no connection, because every caller that could release one waits itself. */
  readonly onDeadlock: (lane: Lane | undefined, now: number) => void
}

/**
 * Checks the current leases from time to time for leaks, long queries and deadlocks. Only transferred bytes count: neither
 * the age of a lease, nor whether a query is open (a cursor that is not read any more stays open forever). A timer does the
 * checks; a checkout pays one comparison.
 */
export class LeakDetector<R> {
  readonly #options: LeakDetectorOptions<R>
  readonly #alarm: Alarm
  readonly #intervalMillis: number
  /** The lanes of deadlocks that have been reported and last. */
  #deadlocked: ReadonlySet<Lane | undefined> = new Set()

  constructor(options: LeakDetectorOptions<R>) {
    this.#options = options
    this.#intervalMillis = Math.min(
      options.leakThresholdMillis / CHECKS_PER_LEAK_THRESHOLD,
      options.longQueryMillis / CHECKS_PER_LONG_QUERY_THRESHOLD,
    )
    this.#alarm = new Alarm(options.clock, () => this.#check(), { background: true })
  }

  /** Whether the waiters of a lane wait for each other. */
  isDeadlocked(lane: Lane | undefined): boolean {
    return this.#deadlocked.has(lane)
  }

  /** A lease has begun. */
  begin(lease: TrackedLease<R>, now: number): void {
    lease.activity = this.#options.probe.activityOf(lease.resource)
    this.#alarm.at(now + this.#intervalMillis)
  }

  /** Call it when a caller that may hold a lease begins to wait. */
  onWaitInScope(now: number): void {
    this.#alarm.at(now + DEADLOCK_CHECK_MILLIS)
  }

  /** Brings `quietSince` and the running query of every lease up to date. */
  refresh(now: number): void {
    for (const lease of this.#options.leases()) this.#noteActivity(lease, now)
  }

  stop(): void {
    this.#alarm.stop()
  }

  #check(): void {
    const now = this.#options.clock.now()
    const leases = [...this.#options.leases()]
    for (const lease of leases) this.#checkLease(lease, now)
    this.#checkDeadlock(leases, now)
    if (leases.length === 0) return
    this.#alarm.at(now + this.#intervalMillis)
    if (this.#hasWaiterInScope()) this.#alarm.at(now + DEADLOCK_CHECK_MILLIS)
  }

  #noteActivity(lease: TrackedLease<R>, now: number): void {
    const { probe } = this.#options
    const activity = probe.activityOf(lease.resource)
    if (activity !== lease.activity) lease.quietSince = now
    lease.activity = activity
    const query = probe.runningQueryOf(lease.resource)
    if (query?.key !== lease.runningQuery?.key) {
      lease.queryingSince = now
      lease.longQueryReported = false
    }
    lease.runningQuery = query
  }

  #checkLease(lease: TrackedLease<R>, now: number): void {
    // A listener of the check before may have ended it.
    if (!Number.isNaN(lease.endedAt)) return
    this.#noteActivity(lease, now)
    this.#checkQuery(lease, now)
    if (lease.suspected || !this.#isLeakLike(lease, now)) return
    lease.suspected = true
    this.#options.onLeak(lease, now)
  }

  #checkQuery(lease: TrackedLease<R>, now: number): void {
    const { runningQuery: query, longQueryReported, queryingSince } = lease
    if (!query || longQueryReported) return
    const due = queryingSince + this.#options.longQueryMillis
    if (now < due) {
      this.#alarm.at(due)
      return
    }
    lease.longQueryReported = true
    this.#options.onLongQuery(lease, query, now)
  }

  #isLeakLike({ resource, quietSince, runningQuery, longQueryReported }: TrackedLease<R>, now: number): boolean {
    const { leakThresholdMillis, probe } = this.#options
    const quietMillis = now - quietSince
    if (quietMillis < leakThresholdMillis || probe.isListening(resource)) return false
    // A query that runs for long and one whose answer was lost look alike from here: report it once, as one of the two.
    return !runningQuery || (!longQueryReported && quietMillis >= QUIET_QUERY_MILLIS)
  }

  #checkDeadlock(leases: readonly TrackedLease<R>[], now: number): void {
    const isQuiet = (lease: TrackedLease<R>) => !lease.runningQuery && now - lease.quietSince >= DEADLOCK_QUIET_MILLIS
    const found = findDeadlocks(leases, this.#options.waiters, isQuiet)
    const before = this.#deadlocked
    this.#deadlocked = found
    for (const lane of found) if (!before.has(lane)) this.#options.onDeadlock(lane, now)
  }

  #hasWaiterInScope(): boolean {
    for (const { borrower } of this.#options.waiters) if (borrower?.scope) return true
    return false
  }
}
