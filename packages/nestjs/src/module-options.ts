import type { CanActivate, Type } from '@nestjs/common'
import type { HealthMonitorOptions, MetricsSources } from '@poolguard/core'
import type { ShedLoadOptions } from '@poolguard/core/adapter'
import type { GuardedPoolConfig } from '@poolguard/pg'

/** When a pool's health is `warning` or `critical`. */
export type HealthOptions = Pick<HealthMonitorOptions, 'thresholds' | 'windowMillis' | 'recoveryMillis'>

/**
 * The options of one pool, or several pools in `pools`, or neither: then the module only observes the guarded pools of the process,
 * whichever adapter created them.
 */
export interface PoolguardModuleOptions extends GuardedPoolConfig {
  /** Several pools. Each is injected by its key, which is also its name unless it has a `name`. */
  readonly pools?: Readonly<Record<string, GuardedPoolConfig>>
  readonly health?: HealthOptions
}

export interface MetricsOptions {
  /** Default: `metrics`. */
  readonly path?: string
  /** Guards of the route. They can inject exports of global modules and of the `imports` of `forRootAsync`. */
  readonly guards?: readonly (CanActivate | Type<CanActivate>)[]
  /** Metrics of the server and the pooler: `postgresSource(url)` and `pgBouncerSource(url)` of @poolguard/pg. */
  readonly sources?: MetricsSources
}

/** Options that Nest needs before it calls a factory, because they decide on routes and providers. */
export interface PoolguardModuleExtras {
  /** Make the module global, so that other modules need not import it. Default: true. */
  readonly isGlobal?: boolean
  /** A route for Prometheus. Default: none. */
  readonly metrics?: boolean | MetricsOptions
  /**
   * Label wait times by route. Default: from Node 24 on; below Node 24 it makes every `await` of the process 2.4 times as
   * expensive.
   */
  readonly labels?: boolean
  /**
   * Cancel the statements of a handler, and roll its transaction back, when its client disconnects or the time of {@link DatabaseDeadline}
   * has passed. Default: from Node 24 on, as for `labels`.
   */
  readonly deadlines?: boolean
  /**
   * Rejects requests with 503 before their handlers run: with `true` while a guarded pool of the process is overloaded, with
   * `{ waiters: 50 }` while more callers wait for a connection. {@link SkipLoadShedding} exempts a handler. Default: false.
   */
  readonly shedLoad?: boolean | ShedLoadOptions
}

/** The options of `forRootAsync` next to the factory. */
export interface PoolguardModuleAsyncExtras extends PoolguardModuleExtras {
  /** The keys of the `pools` that the factory returns; `[]` if it returns no pool. Default: one pool without a key. */
  readonly poolNames?: readonly string[] | undefined
}

/** For `useClass` and `useExisting` of `forRootAsync`. */
export interface PoolguardOptionsFactory {
  createPoolguardOptions(): PoolguardModuleOptions | Promise<PoolguardModuleOptions>
}
