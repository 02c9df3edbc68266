import type { ShedLoadOptions } from '@poolguard/core/adapter'
import type { GuardedPool, GuardedPoolConfig } from '@poolguard/pg'
import type { EndpointOptions } from '@poolguard/web/adapter'

/** All options are optional: without options the plugin observes every guarded pool of the process. */
export interface PoolguardFastifyOptions extends EndpointOptions {
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
}
