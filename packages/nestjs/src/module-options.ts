import type { CanActivate, Type } from '@nestjs/common'
import type { HealthMonitorOptions, MetricsSources } from '@poolguard/core'
import type { GuardedPoolConfig } from '@poolguard/pg'

/** When a pool counts as ill. */
export type HealthOptions = Pick<HealthMonitorOptions, 'thresholds' | 'windowMillis' | 'recoveryMillis'>

/**
 * One pool's own options, or several pools in `pools`, or neither: then the module only observes, and every guarded pool of
 * the process is seen, whoever made it.
 */
export interface PoolguardModuleOptions extends GuardedPoolConfig {
  /** Each is injected by its key, which is its name, too, unless it has another one. */
  readonly pools?: Readonly<Record<string, GuardedPoolConfig>>
  readonly health?: HealthOptions
}

export interface MetricsOptions {
  /** Default: `metrics`. */
  readonly path?: string
  /** What they inject, Nest must find in the module: a global module's exports, or what `forRootAsync` imports. */
  readonly guards?: readonly (CanActivate | Type<CanActivate>)[]
  /** What the database and the pooler say, beside the pools: `postgresSource(url)` and `pgBouncerSource(url)` of @poolguard/pg. */
  readonly sources?: MetricsSources
}

/** What Nest must know before it can ask a factory: which routes and which providers there are. */
export interface PoolguardModuleExtras {
  /** Whether other modules need not import it. Default: true. */
  readonly isGlobal?: boolean
  /** A route for Prometheus. Default: none. */
  readonly metrics?: boolean | MetricsOptions
  /**
   * Whether pools tell apart, by route, how long callers wait. Default: from Node 24 on; below, it makes every `await` of
   * the process 2.4 times as dear.
   */
  readonly labels?: boolean
}

/** What `forRootAsync` takes beside its factory. */
export interface PoolguardModuleAsyncExtras extends PoolguardModuleExtras {
  /** The keys of `pools`, where the factory describes several; `[]` where it describes none. */
  readonly poolNames?: readonly string[] | undefined
}

/** For `useClass` and `useExisting` of `forRootAsync`. */
export interface PoolguardOptionsFactory {
  createPoolguardOptions(): PoolguardModuleOptions | Promise<PoolguardModuleOptions>
}
