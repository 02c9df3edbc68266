import type { Clock } from '../clock.ts'
import type { Borrower, BorrowerTraces } from './borrower.ts'
import type { ConnectFailure } from './connect-failure.ts'
import type { ConnectionBudget } from './connection-budget.ts'
import type { Joiner } from './joiner.ts'
import type { LanesOptions } from './lane-settings.ts'
import type { LeaseObserver } from './lease-observer.ts'
import type { CloseReason, PoolEventListener } from './pool-events.ts'
import type { PoolSettings } from './pool-settings.ts'
import type { ResourceFactory } from './resource-factory.ts'

export interface PoolOptions<R> {
  /** Used in errors and events. */
  readonly name: string
  readonly settings: PoolSettings
  /** One maximum for this pool and others. */
  readonly budget?: ConnectionBudget | undefined
  /** Divides the connections among several kinds of work. */
  readonly lanes?: LanesOptions | undefined
  readonly factory: ResourceFactory<R>
  /** Classifies errors of `factory.open`, which decides whether the pool retries or rejects waiting callers. */
  readonly classify: (error: unknown) => ConnectFailure
  /** Returns advice about an error of the factory; it becomes part of the callers' errors. */
  readonly advise?: ((error: unknown) => string | undefined) | undefined
  readonly onEvent?: PoolEventListener | undefined
  /** Called when a caller begins to wait. */
  readonly onWait?: (() => void) | undefined
  /** Reports a mistake of the application. Default: an event `warning`. */
  readonly warn?: ((message: string) => void) | undefined
  readonly observer?: LeaseObserver<R> | undefined
  /** Called for each resource that is not lent any more: the pool is closing it, or it was lost. */
  readonly onClosing?: ((resource: R, reason: CloseReason) => void) | undefined
  /** True for a resource that must not be the one closed when the pool shrinks (it carries the fleet's publication). */
  readonly isPinned?: ((resource: R) => boolean) | undefined
  readonly clock?: Clock
  /** A number between 0 and 1, like Math.random. */
  readonly random?: () => number
}

export interface AcquireOptions {
  /** Overrides the pool's acquireTimeoutMillis. */
  readonly timeoutMillis?: number | undefined
  /** When it is aborted, the caller leaves the queue. Default: the signal of `runWithDeadline`. */
  readonly signal?: AbortSignal | undefined
  /** The caller's lane. Default: that of `runInLane`, else `default`. */
  readonly lane?: string | undefined
  /** The caller's stacks, if they were captured earlier. */
  readonly traces?: BorrowerTraces | undefined
  /**
   * For connections that the pool acquires for itself (discovery, the fleet's exchange). They neither count in any statistic
   * nor towards `maxWaiters` and `maxUses`. `queued` waits in line; `first` goes ahead of all waiters; `overflow` also
   * goes ahead, and may open one connection more than `max`, which is closed again unless `max` has grown meanwhile.
   */
  readonly internal?: 'queued' | 'first' | 'overflow' | undefined
  /** The caller, if `Pool.identify` has identified it before. */
  readonly borrower?: Borrower | undefined
  /** Set if the caller may leave the line to be served on a connection that another caller holds. */
  readonly joiner?: Joiner | undefined
}
