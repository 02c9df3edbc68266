import type { GuardedPool, GuardedPoolConfig } from '@poolguard/pg'
import type { EndpointOptions, RequestOptions } from '@poolguard/web'

/** All options are optional: without options the plugin observes every guarded pool of the process. */
export interface PoolguardFastifyOptions extends EndpointOptions, RequestOptions {
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
}
