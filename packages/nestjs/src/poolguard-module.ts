import {
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationShutdown,
  type Type,
} from '@nestjs/common'
import { ModulesContainer } from '@nestjs/core'
import { registerOwnCode } from '@poolguard/core/adapter'
import { AppPools } from './app-pools.ts'
import { definition } from './module-definition.ts'
import type { PoolguardModuleAsyncExtras, PoolguardModuleExtras, PoolguardModuleOptions } from './module-options.ts'
import { poolConfigs, poolNames } from './pool-configs.ts'

registerOwnCode(new Error(), 'nestjs')

/** The options of `forRootAsync`. */
export type PoolguardModuleAsyncOptions = ConfigurableModuleAsyncOptions<
  PoolguardModuleOptions,
  'createPoolguardOptions'
> &
  PoolguardModuleAsyncExtras

/**
 * Guarded pools for a Nest app: injectable, observed, and drained after the rest of the app has shut down.
 *
 * @publicApi
 * @example
 * PoolguardModule.forRoot({ url: process.env.DATABASE_URL, name: 'orders', instances: 6 })
 */
export class PoolguardModule implements OnApplicationShutdown {
  readonly #pools: AppPools

  /** @internal */
  constructor(pools: AppPools, modules: ModulesContainer) {
    this.#pools = pools
    shutDownLast(PoolguardModule, modules)
  }

  /** @throws {InvalidOptionError} if one pool's options and `pools` are both given, or if `metrics` or `shedLoad` is invalid. */
  static forRoot(options: PoolguardModuleOptions & PoolguardModuleExtras = {}): DynamicModule {
    const {
      isGlobal: _isGlobal,
      metrics: _metrics,
      labels: _labels,
      shedLoad: _shedLoad,
      deadlines: _deadlines,
      ...poolOptions
    } = options
    const withNames = { ...options, poolNames: poolNames(poolConfigs(poolOptions)) }
    return { ...definition.ConfigurableModuleClass.forRoot(withNames), module: PoolguardModule }
  }

  /**
   * Creates one pool, unless `poolNames` is set.
   *
   * @throws {InvalidOptionError} if `metrics` or `shedLoad` is invalid.
   */
  static forRootAsync(options: PoolguardModuleAsyncOptions): DynamicModule {
    return { ...definition.ConfigurableModuleClass.forRootAsync(options), module: PoolguardModule }
  }

  /**
   * Runs after all other hooks: requests are answered, and the shutdown hooks of other modules have had their connections. The pools
   * wait for connections in use up to `pool.drainMillis`.
   */
  async onApplicationShutdown(): Promise<void> {
    await this.#pools.end()
  }
}

// Decorators are called as functions, because Node's type stripping does not support decorators.
Module({})(PoolguardModule)
Inject(AppPools)(PoolguardModule, undefined, 0)
Inject(ModulesContainer)(PoolguardModule, undefined, 1)

/**
 * Makes Nest call the module's shutdown hooks last, wherever and however often it is imported. Nest sorts modules by their distance
 * from the root; all global modules have the same distance, and then the order of imports decides. Call this before the first hook,
 * because Nest caches the order.
 *
 * @see https://docs.nestjs.com/fundamentals/lifecycle-events
 */
function shutDownLast(module: Type, modules: ModulesContainer): void {
  for (const each of modules.values()) {
    if (each.metatype === module) each.distance = Number.POSITIVE_INFINITY
  }
}
