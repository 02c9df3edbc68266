import type { HealthThresholds, MetricsSources } from '@poolguard/core'

/** Options of the metrics page. */
export interface MetricsOptions {
  /** Default: `/metrics`. */
  readonly path?: string
  /** Metrics of the server and the pooler: `postgresSource(url)` and `pgBouncerSource(url)` of @poolguard/pg. */
  readonly sources?: MetricsSources
}

/** Options of the live page. */
export interface PageOptions {
  /** Default: `/admin/poolguard`. */
  readonly path?: string
  /** Servers and poolers that the page shows. Default: those of `metrics`. */
  readonly sources?: MetricsSources
  /**
   * Let the page resize pools, close idle connections and terminate sessions of its sources, each after a confirmation. Every action is
   * a process warning and an event of the page. Default: false.
   */
  readonly actions?: boolean
}

/** The endpoints that an app serves about its pools. They have the same options in every framework. */
export interface EndpointOptions {
  /** Path of the liveness probe, 200 as long as the process answers. Default: `/healthz`. */
  readonly health?: string | boolean
  /** Path of the readiness probe, 503 while a pool is critical and during shutdown. Default: `/readyz`. */
  readonly ready?: string | boolean
  /** The Prometheus metrics: their path, `true` for `/metrics`, or path and sources. Default: false. */
  readonly metrics?: string | boolean | MetricsOptions
  /** Path of the pools' snapshots, protected by {@link adminToken}; `true` is `/admin/db-pool-stats`. Default: false. */
  readonly admin?: string | boolean
  /**
   * The live page, protected by {@link adminToken}: its path, `true` for `/admin/poolguard`, or path and sources. Default: false.
   */
  readonly page?: string | boolean | PageOptions
  /** A bearer token, or several during a rotation; also the password of the live page. */
  readonly adminToken?: string | readonly string[] | undefined
  /** Show reasons and pool names on the readiness probe without a token. Default: false. */
  readonly details?: boolean
  /** Overrides of the default thresholds. */
  readonly thresholds?: Partial<HealthThresholds>
  /** Health ignores events older than this. Default: 30 000. */
  readonly windowMillis?: number
  /** Health improves only after the better state has lasted this long; it worsens immediately. Default: 5 000. */
  readonly recoveryMillis?: number
}
