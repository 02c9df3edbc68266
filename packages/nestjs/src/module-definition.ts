import {
  ConfigurableModuleBuilder,
  type ConfigurableModuleHost,
  type DynamicModule,
  type Provider,
  type Type,
} from '@nestjs/common'
import { APP_GUARD, APP_INTERCEPTOR, Reflector } from '@nestjs/core'
import { InvalidOptionError } from '@poolguard/core'
import { asyncContextIsCheap, readShedLoad } from '@poolguard/core/adapter'
import { AppPools } from './app-pools.ts'
import { DeadlineInterceptor } from './deadline-interceptor.ts'
import { LabelInterceptor } from './label-interceptor.ts'
import { LaneInterceptor } from './lane-interceptor.ts'
import { metricsController } from './metrics-controller.ts'
import type { PoolguardModuleAsyncExtras, PoolguardModuleOptions } from './module-options.ts'
import { type PoolNames, poolConfigs, requireNames } from './pool-configs.ts'
import { getPoolToken } from './pool-token.ts'
import { Poolguard } from './poolguard.ts'
import { ShedLoadGuard } from './shed-load-guard.ts'

type Definition = ConfigurableModuleHost<
  PoolguardModuleOptions,
  'forRoot',
  'createPoolguardOptions',
  PoolguardModuleAsyncExtras
>

/** Must list every key: the builder uses the keys to separate extras from options. */
const EXTRAS: PoolguardModuleAsyncExtras = {
  isGlobal: true,
  metrics: false,
  labels: asyncContextIsCheap,
  shedLoad: false,
  deadlines: asyncContextIsCheap,
  poolNames: undefined,
}

export const definition: Definition = new ConfigurableModuleBuilder<PoolguardModuleOptions>({ moduleName: 'Poolguard' })
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createPoolguardOptions')
  .setExtras(EXTRAS, complete)
  .build()

function complete(module: DynamicModule, extras: PoolguardModuleAsyncExtras): DynamicModule {
  const {
    isGlobal = true,
    metrics = false,
    labels = asyncContextIsCheap,
    deadlines = asyncContextIsCheap,
    shedLoad,
    poolNames,
  } = extras
  const pools = poolProviders(poolNames)
  return {
    ...module,
    global: isGlobal,
    controllers: controllers(metrics),
    providers: [
      ...(module.providers ?? []),
      {
        provide: AppPools,
        inject: [definition.MODULE_OPTIONS_TOKEN],
        useFactory: (options: PoolguardModuleOptions) => createPools(options, poolNames),
      },
      {
        provide: Poolguard,
        inject: [AppPools, definition.MODULE_OPTIONS_TOKEN],
        useFactory: (appPools: AppPools, { health }: PoolguardModuleOptions) => new Poolguard(appPools, health),
      },
      ...(labels ? [{ provide: APP_INTERCEPTOR, useClass: LabelInterceptor }] : []),
      ...(deadlines ? [DEADLINES] : []),
      LANES,
      ...shedLoadGuards(shedLoad),
      ...pools,
    ],
    exports: [Poolguard, ...pools],
  }
}

function controllers(metrics: PoolguardModuleAsyncExtras['metrics']): Type[] {
  if (typeof metrics === 'boolean') return metrics ? [metricsController({})] : []
  if (typeof metrics === 'object' && metrics !== null) return [metricsController(metrics)]
  throw new InvalidOptionError('metrics', metrics, 'true, false or { path, guards, sources }')
}

const DEADLINES: Provider = {
  provide: APP_INTERCEPTOR,
  inject: [Reflector],
  useFactory: (reflector: Reflector) => new DeadlineInterceptor(reflector),
}

const LANES: Provider = {
  provide: APP_INTERCEPTOR,
  inject: [Reflector],
  useFactory: (reflector: Reflector) => new LaneInterceptor(reflector),
}

function shedLoadGuards(shedLoad: PoolguardModuleAsyncExtras['shedLoad']): Provider[] {
  const options = readShedLoad(shedLoad)
  if (!options) return []
  return [
    {
      provide: APP_GUARD,
      inject: [Reflector],
      useFactory: (reflector: Reflector) => new ShedLoadGuard(options, reflector),
    },
  ]
}

function createPools(options: PoolguardModuleOptions, declared: PoolNames): Promise<AppPools> {
  rejectMisplacedOptions(options)
  const configs = poolConfigs(options)
  requireNames(configs, declared)
  return AppPools.create(configs)
}

/** Nest reads these options before it calls the factory, so it would silently ignore them in the factory's result. */
function rejectMisplacedOptions(options: PoolguardModuleOptions): void {
  const misplaced = Object.entries(options).find(([key]) => Object.hasOwn(EXTRAS, key))
  if (misplaced)
    throw new InvalidOptionError(...misplaced, 'no value in the result of the factory: set it next to the factory')
}

function poolProviders(names: PoolNames): Provider[] {
  return (names ?? [undefined]).map((name) => ({
    provide: getPoolToken(name),
    inject: [AppPools],
    useFactory: (appPools: AppPools) => appPools.get(name),
  }))
}
