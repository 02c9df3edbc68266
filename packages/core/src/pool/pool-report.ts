import type { Clock } from '../clock.ts'
import type { Callers } from './callers.ts'
import type { ConnectionBudget } from './connection-budget.ts'
import { DurationHistogram } from './durations.ts'
import type { LaneState, PoolState } from './errors.ts'
import type { Lanes } from './lanes.ts'
import type { LeaseReport } from './lease-report.ts'
import type { LeaseTracker } from './lease-tracker.ts'
import type { Limits } from './limits.ts'
import type { PoolCallers, SessionReport } from './pool-callers.ts'
import type { PoolResources } from './pool-resources.ts'
import type { LaneCounts, LaneStats, PoolCounts, PoolStats } from './pool-stats.ts'

/** An error shows at most this many leases. */
const MAX_SHOWN_LEASES = 3

export interface PoolReportOptions<R> {
  /** Name of the pool. */
  readonly name: string
  readonly clock: Clock
  readonly limits: Limits
  readonly resources: PoolResources<R>
  readonly lanes: Lanes<R>
  readonly tracker: LeaseTracker<R>
  readonly budget: ConnectionBudget | undefined
}

/** Reads the figures of a pool. */
export class PoolReport<R> {
  readonly #options: PoolReportOptions<R>

  constructor(options: PoolReportOptions<R>) {
    this.#options = options
  }

  /** The part of {@link stats} that is cheap to read. */
  get counts(): PoolCounts {
    const { limits, resources, lanes } = this.#options
    const { entries } = resources
    return {
      max: limits.settings.max,
      limit: limits.lendable,
      total: resources.total,
      idle: entries.idle,
      active: entries.leased,
      connecting: resources.opening,
      waiting: lanes.size,
      connectFailing: resources.trouble !== undefined,
      overloaded: lanes.all.some(({ isOverloaded }) => isOverloaded),
      retryAfterMillis: Math.max(...lanes.all.map(({ retryAfterMillis }) => retryAfterMillis)),
      ...(lanes.only ? {} : { lanes: this.#byLane(countsOf) }),
    }
  }

  stats(): PoolStats {
    const { clock, limits, resources, lanes, tracker } = this.#options
    const { connectFailing: _, retryAfterMillis: _retryAfterMillis, lanes: _counts, ...counts } = this.counts
    const now = clock.now()
    return {
      takenAtMillis: now,
      ...counts,
      min: limits.settings.min,
      validating: resources.entries.validating,
      closing: resources.entries.closing,
      ...sumCounters(lanes.all),
      ...resources.stats(),
      ...tracker.stats(now),
      ...(lanes.only ? {} : { lanes: this.#byLane((callers) => this.#statsOf(callers)) }),
    }
  }

  #byLane<T>(read: (callers: Callers<R>) => T): Readonly<Record<string, T>> {
    return Object.fromEntries(this.#options.lanes.all.map((callers) => [callers.lane.name, read(callers)]))
  }

  #statsOf({ lane, line, counters, isOverloaded }: Callers<R>): LaneStats {
    const { max, reserve, priority } = lane.quota
    return {
      ...{ max, reserve, priority },
      active: lane.used,
      waiting: line.size,
      overloaded: isOverloaded,
      deadlocked: this.#options.tracker.isDeadlocked(lane),
      ...counters,
      shed: { ...counters.shed },
      wait: (lane.waitTimes ?? new DurationHistogram()).read(),
    }
  }

  /** The current leases, the oldest first. */
  leases(): readonly LeaseReport[] {
    return this.#options.tracker.reports(this.#options.clock.now())
  }

  /** At most `limit` connections in use and callers that wait, the oldest first. */
  callers(limit: number, sessionOf: (resource: R) => SessionReport): PoolCallers {
    const { tracker, clock } = this.#options
    return tracker.callers(clock.now(), limit, sessionOf)
  }

  /** The pool's state, for an error of a caller in a lane. */
  describe(
    callers: Callers<R>,
    oldestLeases: readonly LeaseReport[] = this.leases().slice(0, MAX_SHOWN_LEASES),
  ): PoolState {
    const { name, resources, lanes, tracker, budget } = this.#options
    const { max, limit, total, idle, active, connecting, waiting } = this.counts
    return {
      name,
      ...{ max, limit, total, idle, active, connecting, waiting },
      oldestLeases,
      deadlocked: tracker.isDeadlocked(callers.lane),
      lane: lanes.only ? undefined : this.#stateOf(callers),
      budget: budget && { name: budget.name, max: budget.max, used: budget.used, pools: budget.pools },
      waste: tracker.waste,
      trouble: resources.trouble ?? null,
    }
  }

  #stateOf({ lane, line }: Callers<R>): LaneState {
    const limitedBy = this.#options.lanes.limitOf(lane)
    return { name: lane.name, max: lane.quota.max, active: lane.used, waiting: line.size, limitedBy }
  }
}

function countsOf<R>({ line, isOverloaded, retryAfterMillis }: Callers<R>): LaneCounts {
  return { waiting: line.size, overloaded: isOverloaded, retryAfterMillis }
}

function sumCounters<R>(all: readonly Callers<R>[]): Callers<R>['counters'] {
  const sum = { timeouts: 0, saturated: 0, shed: { 'waited-too-long': 0, 'deadline-too-near': 0 } }
  for (const { counters } of all) {
    sum.timeouts += counters.timeouts
    sum.saturated += counters.saturated
    sum.shed['waited-too-long'] += counters.shed['waited-too-long']
    sum.shed['deadline-too-near'] += counters.shed['deadline-too-near']
  }
  return sum
}
