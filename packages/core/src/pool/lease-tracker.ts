import type { Clock } from '../clock.ts'
import { type Borrower, BorrowerIdentification, type BorrowerTraces } from './borrower.ts'
import { acquireChannel, releaseChannel } from './channels.ts'
import { DurationHistogram, LabelledWaits } from './durations.ts'
import type { Lane } from './lane.ts'
import { LeakDetector, type LeaseProbe } from './leak-detector.ts'
import type { TrackedLease } from './lease.ts'
import type { LeaseObserver, PoolWaste } from './lease-observer.ts'
import { type LeaseReport, reportLease, reportQuery } from './lease-report.ts'
import { type PoolCallers, reportCallers, type SessionReport } from './pool-callers.ts'
import type { PoolEvent } from './pool-events.ts'
import type { PoolSettings } from './pool-settings.ts'
import type { PoolStats } from './pool-stats.ts'
import type { RunningQuery } from './resource-factory.ts'
import type { Waiter } from './waiter-queue.ts'

export interface LeaseTrackerOptions<R> {
  /** Name of the pool. */
  readonly name: string
  readonly settings: Pick<PoolSettings, 'max' | 'leakThresholdMillis' | 'longQueryMillis' | 'captureStacks'>
  readonly clock: Clock
  /** The current leases. */
  readonly leases: () => Iterable<TrackedLease<R>>
  readonly waiters: Iterable<Waiter<R>> & { readonly size: number }
  readonly probe: LeaseProbe<R>
  readonly emit: (event: PoolEvent) => void
  readonly observer?: LeaseObserver<R> | undefined
}

/** The statistics of leases. */
export type LeaseStats = Pick<
  PoolStats,
  | 'acquired'
  | 'leaks'
  | 'suspectedLeaks'
  | 'deadlocks'
  | 'wait'
  | 'waitByLabel'
  | 'usage'
  | 'leasedMillis'
  | 'capacityMillis'
  | 'longestLeaseMillis'
>

/**
 * Follows leases from their beginning to their end: how long callers waited and held, who they are, and which leases look
 * like leaks. Both the engine and the observation of other pools use it. Leases that a pool acquires for itself count nowhere.
 */
export class LeaseTracker<R> {
  readonly #options: LeaseTrackerOptions<R>
  readonly #detector: LeakDetector<R>
  readonly #borrowers: BorrowerIdentification
  readonly #capacity: CapacityTime
  readonly #waitTimes = new DurationHistogram()
  readonly #waitTimesByLabel = new LabelledWaits()
  readonly #useTimes = new DurationHistogram()
  #leaks = 0
  #deadlocks = 0

  constructor(options: LeaseTrackerOptions<R>) {
    const { settings, clock } = options
    this.#options = options
    this.#capacity = new CapacityTime(settings.max, clock.now())
    this.#borrowers = new BorrowerIdentification(settings.captureStacks, settings.leakThresholdMillis, options.observer)
    this.#detector = new LeakDetector({
      ...options,
      leakThresholdMillis: settings.leakThresholdMillis,
      longQueryMillis: settings.longQueryMillis,
      onLongQuery: (lease, query, now) => this.#reportLongQuery(lease, query, now),
      onLeak: (lease, now) => this.#reportLeak(lease, now),
      onDeadlock: (lane, now) => this.#reportDeadlock(lane, now),
    })
  }

  /** Whether the waiters of a lane wait for each other. */
  isDeadlocked(lane: Lane): boolean {
    return this.#detector.isDeadlocked(lane)
  }

  /** Whether leases remember the stacks of their borrowers now. */
  get capturesStacks(): boolean {
    return this.#borrowers.captures(this.#options.clock.now())
  }

  /**
   * Identifies the caller that acquires a lease. Call it in the caller's own stack, of which the frames above `below` count.
   *
   * @param traces the caller's stacks, if they were captured before.
   */
  identify(now: number, below: (...args: never[]) => unknown, traces?: BorrowerTraces): Borrower | undefined {
    return this.#borrowers.identify(now, below, traces)
  }

  /** A caller began to wait. */
  wait(borrower: Borrower | undefined, now: number): void {
    if (borrower?.scope) this.#detector.onWaitInScope(now)
  }

  /** @param waitedMillis how long the caller waited for the lease. */
  begin(lease: TrackedLease<R>, waitedMillis: number): void {
    this.#detector.begin(lease, lease.since)
    if (lease.isInternal) return
    this.#options.observer?.begin(lease)
    this.#waitTimes.record(waitedMillis)
    const label = lease.borrower?.run?.label
    if (label !== undefined) this.#waitTimesByLabel.record(label, waitedMillis)
    if (acquireChannel.hasSubscribers) acquireChannel.publish({ pool: this.#options.name, waitedMillis })
  }

  end(lease: TrackedLease<R>, now: number): void {
    lease.endedAt = now
    lease.runningQuery = undefined
    if (lease.isInternal) return
    this.#options.observer?.end(lease, now)
    const usedMillis = now - lease.since
    this.#useTimes.record(usedMillis)
    if (lease.suspected) this.#options.emit({ type: 'leak-returned', lease: reportLease(lease, now) })
    if (releaseChannel.hasSubscribers) releaseChannel.publish({ pool: this.#options.name, usedMillis })
  }

  /** Set if connections are in use without running statements. */
  get waste(): PoolWaste | undefined {
    return this.#options.observer?.waste()
  }

  /** The number of connections that callers may have at the same time has changed. */
  resize(max: number, now: number): void {
    this.#capacity.resize(max, now)
  }

  stats(now: number): LeaseStats {
    const wait = this.#waitTimes.read()
    const usage = this.#useTimes.read()
    let leasedMillis = usage.sumMillis
    let longestLeaseMillis = 0
    let suspected = 0
    for (const lease of this.#options.leases()) {
      if (lease.isInternal) continue
      leasedMillis += now - lease.since
      longestLeaseMillis = Math.max(longestLeaseMillis, now - lease.since)
      if (lease.suspected) suspected++
    }
    return {
      acquired: wait.count,
      leaks: this.#leaks,
      suspectedLeaks: suspected,
      deadlocks: this.#deadlocks,
      wait,
      waitByLabel: this.#waitTimesByLabel.read(),
      usage,
      leasedMillis,
      capacityMillis: this.#capacity.read(now),
      longestLeaseMillis,
    }
  }

  /** The current leases, the oldest first. */
  reports(now: number): LeaseReport[] {
    this.#detector.refresh(now)
    const reports = Array.from(this.#options.leases(), (lease) => reportLease(lease, now))
    return reports.sort((a, b) => b.heldMillis - a.heldMillis)
  }

  /** The current leases with a running query. */
  querying(now: number): TrackedLease<R>[] {
    this.#detector.refresh(now)
    return Array.from(this.#options.leases()).filter(({ runningQuery }) => runningQuery !== undefined)
  }

  /** At most `limit` current leases and waiters, the oldest first. */
  callers(now: number, limit: number, sessionOf: (resource: R) => SessionReport): PoolCallers {
    this.#detector.refresh(now)
    const { leases, waiters } = this.#options
    return reportCallers(leases(), waiters, { now, limit, sessionOf })
  }

  stop(): void {
    this.#detector.stop()
  }

  #reportLeak(lease: TrackedLease<R>, now: number): void {
    this.#leaks++
    this.#borrowers.onSuspectedLeak(now)
    this.#options.emit({ type: 'leak', lease: reportLease(lease, now) })
  }

  #reportLongQuery(lease: TrackedLease<R>, query: RunningQuery, now: number): void {
    const report = reportQuery(query, lease.queryingSince, now)
    this.#options.emit({ type: 'long-query', query: report, lease: reportLease(lease, now) })
  }

  #reportDeadlock(lane: Lane | undefined, now: number): void {
    this.#deadlocks++
    const { emit, waiters } = this.#options
    const named = lane?.hasQuota ? { lane: lane.name } : {}
    emit({ type: 'deadlock', leases: this.reports(now), waiting: waiters.size, ...named })
  }
}

/** The integral of a pool's `max` over time, including resizes: the denominator for the share in use. */
export class CapacityTime {
  #max: number
  #since: number
  #sumMillis = 0

  constructor(max: number, now: number) {
    this.#max = max
    this.#since = now
  }

  resize(max: number, now: number): void {
    this.#sumMillis = this.read(now)
    this.#max = max
    this.#since = now
  }

  /** In milliseconds: two connections for a second are 2 000. */
  read(now: number): number {
    return this.#sumMillis + this.#max * (now - this.#since)
  }
}
