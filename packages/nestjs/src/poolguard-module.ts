import type { Type } from '@nestjs/common'
import {
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationShutdown,
} from '@nestjs/common'
import { ModulesContainer } from '@nestjs/core'
import { registerOwnCode } from '@poolguard/core/adapter'
import { AppPools } from './app-pools.ts'
import { definition } from './module-definition.ts'
import type { PoolguardModuleAsyncExtras, PoolguardModuleExtras, PoolguardModuleOptions } from './module-options.ts'
import { poolConfigs, poolNames } from './pool-configs.ts'

registerOwnCode(new Error(), 'nestjs')

/** What `forRootAsync` takes. */
export type PoolguardModuleAsyncOptions = ConfigurableModuleAsyncOptions<
  PoolguardModuleOptions,
  'createPoolguardOptions'
> &
  PoolguardModuleAsyncExtras

/**
 * Guarded pools for a Nest app: injectable, observed, and drained when nobody needs them any more.
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

  /** @throws {InvalidOptionError} where one pool's options and `pools` are both given, or `metrics` cannot be meant. */
  static forRoot(options: PoolguardModuleOptions & PoolguardModuleExtras = {}): DynamicModule {
    const { isGlobal: _isGlobal, metrics: _metrics, labels: _labels, ...described } = options
    const told = { ...options, poolNames: poolNames(poolConfigs(described)) }
    return { ...definition.ConfigurableModuleClass.forRoot(told), module: PoolguardModule }
  }

  /**
   * Makes one pool, unless `poolNames` says otherwise.
   *
   * @throws {InvalidOptionError} where `metrics` cannot be meant.
   */
  static forRootAsync(options: PoolguardModuleAsyncOptions): DynamicModule {
    return { ...definition.ConfigurableModuleClass.forRootAsync(options), module: PoolguardModule }
  }

  /**
   * The last hook of all: requests have been answered by now, and what else is shut down has had its connections. The
   * pools themselves wait for what is still at work, up to `pool.drainMillis`.
   */
  async onApplicationShutdown(): Promise<void> {
    await this.#pools.end()
  }
}

// Decorators, as functions: the sources are run by Node's type stripping, which knows no decorators.
Module({})(PoolguardModule)
Inject(AppPools)(PoolguardModule, undefined, 0)
Inject(ModulesContainer)(PoolguardModule, undefined, 1)

/**
 * Makes a module the last one whose shutdown hooks Nest calls, wherever and however often it is imported. Nest goes by the
 * modules' distance from the root; all global ones are at the same, and among them it is the order of imports that decides.
 * To be called before the first hook, since Nest keeps the order.
 *
 * @see https://docs.nestjs.com/fundamentals/lifecycle-events
 */
function shutDownLast(module: Type, modules: ModulesContainer): void {
  for (const each of modules.values()) {
    if (each.metatype === module) each.distance = Number.POSITIVE_INFINITY
  }
}
