import type { HealthThresholds, MetricsSources } from '@poolguard/core'
import type { GuardedPool, GuardedPoolConfig } from '@poolguard/pg'

/** When to turn requests away. */
export interface ShedLoadOptions {
  /** While more callers than that wait for a connection, new requests are answered with 503. */
  readonly waiters: number
  /** What the answer's Retry-After says. Default: 1. */
  readonly retryAfterSeconds?: number
}

/** What the page of metrics has. */
export interface MetricsOptions {
  /** Default: `/metrics`. */
  readonly path?: string
  /** What the database and the pooler say, beside the pools: `postgresSource(url)` and `pgBouncerSource(url)` of @poolguard/pg. */
  readonly sources?: MetricsSources
}

/** All of it is optional: without options the plugin looks at every guarded pool of the process. */
export interface PoolguardFastifyOptions {
  /**
   * Puts this registration at `fastify.poolguard[name]`, so that there may be several. One with a name adds its pools, and
   * no route, label or mapping of errors that it is not asked for: those are the app's, and belong to the one without.
   */
  readonly name?: string
  /** One pool, to be had as `fastify.poolguard.pool`: a configuration makes it. */
  readonly pool?: GuardedPool | GuardedPoolConfig | undefined
  /** Several pools, to be had as `fastify.poolguard.pools[key]`: configurations make them, each named after its key. */
  readonly pools?: Readonly<Record<string, GuardedPool | GuardedPoolConfig>> | undefined
  /**
   * Closes pools that were handed in as well, or, where none was given, every guarded pool of the process. Default: false.
   * Those that the plugin has made it closes anyway.
   */
  readonly closeOnShutdown?: boolean
  /**
   * How long `close()` waits, no longer ready but serving, before connections are refused, so that a load balancer has
   * left by then. Wants Fastify's `return503OnClosing: false`, and less than its `pluginTimeout`. Default: 0.
   */
  readonly closeDelayMillis?: number
  /** Path of the liveness probe, 200 as long as the process answers. Default: `/healthz`. */
  readonly health?: string | boolean
  /** Path of the readiness probe, 503 while a pool is critical and from `close()` on. Default: `/readyz`. */
  readonly ready?: string | boolean
  /** The metrics for Prometheus: their path, `true` for `/metrics`, or both path and sources. Default: false. */
  readonly metrics?: string | boolean | MetricsOptions
  /** Path of all that is known of the pools, behind {@link adminToken}; `true` is `/admin/db-pool-stats`. Default: false. */
  readonly admin?: string | boolean
  /** A bearer token, or several while they are exchanged. */
  readonly adminToken?: string | readonly string[] | undefined
  /** Whether the readiness probe says what is wrong, with the names of the pools, to everybody. Default: false. */
  readonly details?: boolean
  /** Whether waits are told apart by route. Default: from Node 24 on; below, it makes every await of the process dearer. */
  readonly labels?: boolean
  /** Default: no request is turned away. */
  readonly shedLoad?: ShedLoadOptions | undefined
  /** Whether errors that mean that no connection came free in time are answered with 503. Default: true. */
  readonly mapErrors?: boolean
  /** Those that differ from DEFAULT_HEALTH_THRESHOLDS of @poolguard/core. */
  readonly thresholds?: Partial<HealthThresholds>
  /** What happened longer ago no longer counts for the health. Default: 30 000. */
  readonly windowMillis?: number
  /** The health gets better only when it has been better for so long. Default: 5 000. */
  readonly recoveryMillis?: number
}
