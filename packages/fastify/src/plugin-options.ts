import type { HealthThresholds, MetricsSources } from '@poolguard/core'
import type { ShedLoadOptions } from '@poolguard/core/adapter'
import type { GuardedPool, GuardedPoolConfig } from '@poolguard/pg'

/** Options of the metrics page. */
export interface MetricsOptions {
  /** Default: `/metrics`. */
  readonly path?: string
  /** Metrics of the server and the pooler: `postgresSource(url)` and `pgBouncerSource(url)` of @poolguard/pg. */
  readonly sources?: MetricsSources
}

/** All options are optional: without options the plugin observes every guarded pool of the process. */
export interface PoolguardFastifyOptions {
  /**
   * Puts this registration at `fastify.poolguard[name]`, so that there can be several. A registration with a name adds its pools
   * only: `health`, `ready`, `labels`, `deadlines` and `mapErrors` are off unless you set them.
   */
  readonly name?: string
  /** One pool, available as `fastify.poolguard.pool`. If you pass options, the plugin creates the pool. */
  readonly pool?: GuardedPool | GuardedPoolConfig | undefined
  /** Several pools, available as `fastify.poolguard.pools[key]`. If you pass options, the plugin creates each pool, named after its key. */
  readonly pools?: Readonly<Record<string, GuardedPool | GuardedPoolConfig>> | undefined
  /**
   * Also close pools that you passed in; if you passed none, close every guarded pool of the process. Default: false. The plugin
   * always closes the pools it created.
   */
  readonly closeOnShutdown?: boolean
  /**
   * How long the app keeps serving after `close()`, with readiness 503, before it refuses connections, so that load balancers stop
   * sending requests. Requires Fastify's `return503OnClosing: false`; must be less than Fastify's `pluginTimeout`. Default: 0.
   */
  readonly closeDelayMillis?: number
  /** Path of the liveness probe, 200 as long as the process answers. Default: `/healthz`. */
  readonly health?: string | boolean
  /** Path of the readiness probe, 503 while a pool is critical and from `close()` on. Default: `/readyz`. */
  readonly ready?: string | boolean
  /** The Prometheus metrics: their path, `true` for `/metrics`, or path and sources. Default: false. */
  readonly metrics?: string | boolean | MetricsOptions
  /** Path of the pools' snapshots, protected by {@link adminToken}; `true` is `/admin/db-pool-stats`. Default: false. */
  readonly admin?: string | boolean
  /** A bearer token, or several during a rotation. */
  readonly adminToken?: string | readonly string[] | undefined
  /** Show reasons and pool names on the readiness probe without a token. Default: false. */
  readonly details?: boolean
  /** Label wait times by route. Default: from Node 24 on; below Node 24 it makes every `await` of the process 2.4 times as expensive. */
  readonly labels?: boolean
  /**
   * Cancel a request's statements, and roll its transaction back, when its client disconnects or its route's deadline has passed. Default:
   * from Node 24 on, as for `labels`.
   */
  readonly deadlines?: boolean
  /**
   * Rejects requests with 503 before their handlers run: with `true` while a pool is overloaded, with `{ waiters: 50 }` while more callers
   * wait for a connection. Default: false.
   */
  readonly shedLoad?: boolean | ShedLoadOptions | undefined
  /** Reply 503 to errors which mean that no connection was available in time. Default: true. */
  readonly mapErrors?: boolean
  /** Overrides of the default thresholds. */
  readonly thresholds?: Partial<HealthThresholds>
  /** Health ignores events older than this. Default: 30 000. */
  readonly windowMillis?: number
  /** Health improves only after the better state has lasted this long; it worsens immediately. Default: 5 000. */
  readonly recoveryMillis?: number
}
