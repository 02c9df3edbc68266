import type { Clock } from '../clock.ts'
import type { Callers } from './callers.ts'
import type { PoolState } from './errors.ts'
import type { LeaseReport } from './lease-report.ts'
import type { LeaseTracker } from './lease-tracker.ts'
import type { Limits } from './limits.ts'
import type { PoolResources } from './pool-resources.ts'
import type { PoolCounts, PoolStats } from './pool-stats.ts'

/** An error shows at most this many leases. */
const MAX_SHOWN_LEASES = 3

export interface PoolReportOptions<R> {
  /** Name of the pool. */
  readonly name: string
  readonly clock: Clock
  readonly limits: Limits
  readonly resources: PoolResources<R>
  readonly callers: Callers<R>
  readonly tracker: LeaseTracker<R>
}

/** Reads the figures of a pool. */
export class PoolReport<R> {
  readonly #options: PoolReportOptions<R>

  constructor(options: PoolReportOptions<R>) {
    this.#options = options
  }

  /** The part of {@link stats} that is cheap to read. */
  get counts(): PoolCounts {
    const { limits, resources, callers } = this.#options
    const { entries } = resources
    return {
      max: limits.settings.max,
      total: resources.total,
      idle: entries.idle,
      active: entries.leased,
      connecting: resources.opening,
      waiting: callers.line.size,
      connectFailing: resources.trouble !== undefined,
      overloaded: callers.isOverloaded,
      retryAfterMillis: callers.retryAfterMillis,
    }
  }

  stats(): PoolStats {
    const { clock, limits, resources, callers, tracker } = this.#options
    const { connectFailing: _connectFailing, retryAfterMillis: _retryAfterMillis, ...counts } = this.counts
    const now = clock.now()
    return {
      takenAtMillis: now,
      ...counts,
      min: limits.settings.min,
      validating: resources.entries.validating,
      closing: resources.entries.closing,
      ...callers.counters,
      shed: { ...callers.counters.shed },
      ...resources.stats(),
      ...tracker.stats(now),
    }
  }

  /** The current leases, the oldest first. */
  leases(): readonly LeaseReport[] {
    return this.#options.tracker.reports(this.#options.clock.now())
  }

  /** The pool's state, for errors. */
  describe(oldestLeases: readonly LeaseReport[] = this.leases().slice(0, MAX_SHOWN_LEASES)): PoolState {
    const { name, resources, tracker } = this.#options
    const { max, total, idle, active, connecting, waiting } = this.counts
    return {
      name,
      ...{ max, total, idle, active, connecting, waiting },
      oldestLeases,
      deadlocked: tracker.deadlocked,
      waste: tracker.waste,
      trouble: resources.trouble ?? null,
    }
  }
}
