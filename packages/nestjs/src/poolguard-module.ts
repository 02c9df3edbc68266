import {
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  Inject,
  Module,
  type NestModule,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common'
import { ModulesContainer } from '@nestjs/core'
import { registerOwnCode } from '@poolguard/core/adapter'
import { AppPools } from './app-pools.ts'
import { definition, withoutExtras } from './module-definition.ts'
import { setDistance } from './module-distance.ts'
import type { PoolguardModuleAsyncExtras, PoolguardModuleExtras, PoolguardModuleOptions } from './module-options.ts'
import { PlatformRoutes } from './platform-routes.ts'
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
export class PoolguardModule implements NestModule, OnModuleInit, OnApplicationShutdown {
  readonly #pools: AppPools
  readonly #routes: PlatformRoutes

  /** @internal */
  constructor(pools: AppPools, routes: PlatformRoutes, modules: ModulesContainer) {
    this.#pools = pools
    this.#routes = routes
    // Shut down last.
    setDistance(PoolguardModule, modules, Number.POSITIVE_INFINITY)
  }

  /** @throws {InvalidOptionError} if one pool's options and `pools` are both given, or if an option of requests is invalid. */
  static forRoot(options: PoolguardModuleOptions & PoolguardModuleExtras = {}): DynamicModule {
    const withNames = { ...options, poolNames: poolNames(poolConfigs(withoutExtras(options))) }
    return { ...definition.ConfigurableModuleClass.forRoot(withNames), module: PoolguardModule }
  }

  /**
   * Creates one pool, unless `poolNames` is set.
   *
   * @throws {InvalidOptionError} if an option of requests is invalid.
   */
  static forRootAsync(options: PoolguardModuleAsyncOptions): DynamicModule {
    return { ...definition.ConfigurableModuleClass.forRootAsync(options), module: PoolguardModule }
  }

  /** Nest calls it before it adds the routes of the app. */
  configure(): void {
    this.#routes.addBeforeApp()
  }

  /**
   * Nest calls it after it has added the routes of the app.
   *
   * @throws {InvalidOptionError} if the app has a route at the path of an endpoint.
   */
  onModuleInit(): void {
    this.#routes.addAfterApp()
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
Inject(PlatformRoutes)(PoolguardModule, undefined, 1)
Inject(ModulesContainer)(PoolguardModule, undefined, 2)
