import type { GuardedPoolConfig } from '@poolguard/pg'
import type { EndpointOptions, RequestOptions } from '@poolguard/web'

/**
 * The options of one pool, or several pools in `pools`, or neither: then the module only observes the guarded pools of the process,
 * whichever adapter created them. And when their health is a warning or critical, and who sees the details.
 */
export interface PoolguardModuleOptions
  extends GuardedPoolConfig,
    Pick<EndpointOptions, 'adminToken' | 'details' | 'thresholds' | 'windowMillis' | 'recoveryMillis'> {
  /** Several pools. Each is injected by its key, which is also its name unless it has a `name`. */
  readonly pools?: Readonly<Record<string, GuardedPoolConfig>>
}

/**
 * Options that Nest needs before it calls a factory, because they decide on routes and providers. The routes are those of the HTTP
 * platform: without the app's global prefix, versions, guards and interceptors.
 */
export interface PoolguardModuleExtras
  extends Pick<EndpointOptions, 'health' | 'ready' | 'metrics' | 'admin' | 'page'>,
    RequestOptions {
  /** Make the module global, so that other modules need not import it. Default: true. */
  readonly isGlobal?: boolean
  /**
   * How long the app keeps serving after `close()`, with readiness 503, before Nest's shutdown goes on and refuses connections, so that
   * load balancers stop sending requests. Default: 0.
   */
  readonly closeDelayMillis?: number
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
