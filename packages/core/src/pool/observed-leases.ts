import { type Clock, systemClock } from '../clock.ts'
import { omitUndefined } from '../omit-undefined.ts'
import type { Borrower } from './borrower.ts'
import { publish } from './channels.ts'
import type { LeaseProbe } from './leak-detector.ts'
import { TrackedLease } from './lease.ts'
import { type LeaseStats, LeaseTracker } from './lease-tracker.ts'
import type { PoolEventListener } from './pool-events.ts'
import { DEFAULT_POOL_SETTINGS, type PoolSettings } from './pool-settings.ts'
import type { PoolStats } from './pool-stats.ts'
import { WaiterQueue } from './waiter-queue.ts'

export interface ObservedLeasesOptions<R> {
  /** Name of the observed pool. */
  readonly name: string
  /** Its current max; read at every `stats()`. */
  readonly max: () => number
  /** Those that differ from the defaults of pools. */
  readonly settings: {
    readonly [Name in 'leakThresholdMillis' | 'longQueryMillis' | 'captureStacks']?: PoolSettings[Name] | undefined
  }
  readonly probe: LeaseProbe<R>
  readonly onEvent?: PoolEventListener | undefined
  readonly clock?: Clock
}

/** A caller of the observed pool, from its request until it has a resource. */
export interface AcquireRequest {
  readonly since: number
  readonly borrower: Borrower | undefined
}

/** Follows the leases of a pool that poolguard does not run. */
export class ObservedLeases<R> {
  readonly #max: () => number
  readonly #clock: Clock
  readonly #leases = new Map<R, TrackedLease<R>>()
  readonly #tracker: LeaseTracker<R>

  constructor({ name, max, settings, probe, onEvent, clock = systemClock }: ObservedLeasesOptions<R>) {
    this.#max = max
    this.#clock = clock
    this.#tracker = new LeaseTracker<R>({
      name,
      settings: { ...DEFAULT_POOL_SETTINGS, ...omitUndefined(settings), max: max() },
      clock,
      leases: () => this.#leases.values(),
      // The observed pool does not show its waiters.
      waiters: new WaiterQueue(),
      probe,
      emit: (event) => {
        publish(name, event)
        onEvent?.(event)
      },
    })
  }

  /** A caller asks for a resource. Call it in the caller's own stack, of which the frames above `below` count. */
  request(below: (...args: never[]) => unknown): AcquireRequest {
    const since = this.#clock.now()
    return { since, borrower: this.#tracker.identify(since, below) }
  }

  begin(resource: R, { since, borrower }: AcquireRequest): void {
    const now = this.#clock.now()
    const lease = new TrackedLease(resource, now, borrower)
    this.#leases.set(resource, lease)
    this.#tracker.begin(lease, now - since)
  }

  /** Does nothing for a resource that is not leased. */
  end(resource: R): void {
    const lease = this.#leases.get(resource)
    if (!lease) return
    this.#leases.delete(resource)
    this.#tracker.end(lease, this.#clock.now())
  }

  stats(): LeaseStats & Pick<PoolStats, 'takenAtMillis' | 'max' | 'limit' | 'active'> {
    const now = this.#clock.now()
    const max = this.#max()
    this.#tracker.resize(max, now)
    return { takenAtMillis: now, max, limit: max, active: this.#leases.size, ...this.#tracker.stats(now) }
  }

  stop(): void {
    this.#tracker.stop()
  }
}
