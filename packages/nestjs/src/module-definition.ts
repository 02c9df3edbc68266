import {
  ConfigurableModuleBuilder,
  type ConfigurableModuleHost,
  type DynamicModule,
  type NestInterceptor,
  type Provider,
} from '@nestjs/common'
import { APP_GUARD, APP_INTERCEPTOR, Reflector } from '@nestjs/core'
import { HealthMonitor, InvalidOptionError } from '@poolguard/core'
import { asyncContextIsCheap, listPools, omitUndefined } from '@poolguard/core/adapter'
import type { ShedLoadOptions } from '@poolguard/core/web'
import {
  Drain,
  makeEndpoints,
  makePage,
  type RequestSettings,
  readEndpointSettings,
  readRequestSettings,
} from '@poolguard/web/adapter'
import { AppPools } from './app-pools.ts'
import { DeadlineInterceptor } from './deadline-interceptor.ts'
import { DrainModule } from './drain-module.ts'
import { ErrorInterceptor } from './error-interceptor.ts'
import { LabelInterceptor } from './label-interceptor.ts'
import { LaneInterceptor } from './lane-interceptor.ts'
import type { PoolguardModuleAsyncExtras, PoolguardModuleOptions } from './module-options.ts'
import { type AppEndpoints, ENDPOINTS, PlatformRoutes } from './platform-routes.ts'
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
  health: true,
  ready: true,
  metrics: false,
  admin: false,
  page: false,
  labels: asyncContextIsCheap,
  deadlines: asyncContextIsCheap,
  shedLoad: false,
  mapErrors: true,
  closeDelayMillis: 0,
  poolNames: undefined,
}

/** The options without those that Nest needs before it calls a factory. */
export function withoutExtras(options: PoolguardModuleOptions & PoolguardModuleAsyncExtras): PoolguardModuleOptions {
  return Object.fromEntries(Object.entries(options).filter(([key]) => !Object.hasOwn(EXTRAS, key)))
}

export const definition: Definition = new ConfigurableModuleBuilder<PoolguardModuleOptions>({ moduleName: 'Poolguard' })
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createPoolguardOptions')
  .setExtras(EXTRAS, complete)
  .build()

function complete(module: DynamicModule, extras: PoolguardModuleAsyncExtras): DynamicModule {
  const { isGlobal = true, closeDelayMillis = 0, poolNames } = extras
  const pools = poolProviders(poolNames)
  return {
    ...module,
    global: isGlobal,
    imports: [...(module.imports ?? []), DrainModule.after(closeDelayMillis)],
    providers: [
      ...(module.providers ?? []),
      {
        provide: AppPools,
        inject: [definition.MODULE_OPTIONS_TOKEN],
        useFactory: (options: PoolguardModuleOptions) => createPools(options, poolNames),
      },
      {
        provide: HealthMonitor,
        inject: [definition.MODULE_OPTIONS_TOKEN],
        useFactory: createMonitor,
      },
      {
        provide: Poolguard,
        inject: [AppPools, HealthMonitor],
        useFactory: (appPools: AppPools, monitor: HealthMonitor) => new Poolguard(appPools, monitor),
      },
      {
        provide: ENDPOINTS,
        inject: [definition.MODULE_OPTIONS_TOKEN, HealthMonitor, Drain],
        useFactory: (options: PoolguardModuleOptions, monitor: HealthMonitor, drain: Drain): AppEndpoints => {
          const settings = readEndpointSettings({ ...extras, ...options })
          const sources = { monitor, pools: listPools, drain }
          return { documents: makeEndpoints(settings, sources), page: makePage(settings, sources) }
        },
      },
      PlatformRoutes,
      ...requestProviders(readRequestSettings(extras)),
      ...pools,
    ],
    exports: [Poolguard, ...pools],
  }
}

/** @throws {InvalidOptionError} for an invalid threshold, window or recovery time. */
function createMonitor({ thresholds, windowMillis, recoveryMillis }: PoolguardModuleOptions): HealthMonitor {
  return new HealthMonitor(omitUndefined({ thresholds, windowMillis, recoveryMillis }))
}

/** What is done around each request. The interceptor for errors is the innermost, so that others see the exception that it throws. */
function requestProviders({ labels, deadlines, mapErrors, shedLoad }: RequestSettings): Provider[] {
  const interceptor = (useFactory: (reflector: Reflector) => NestInterceptor): Provider => ({
    provide: APP_INTERCEPTOR,
    inject: [Reflector],
    useFactory,
  })
  const guard = (options: ShedLoadOptions): Provider => ({
    provide: APP_GUARD,
    inject: [Reflector],
    useFactory: (reflector: Reflector) => new ShedLoadGuard(options, reflector),
  })
  return [
    ...(labels ? [interceptor(() => new LabelInterceptor())] : []),
    ...(deadlines ? [interceptor((reflector) => new DeadlineInterceptor(reflector))] : []),
    interceptor((reflector) => new LaneInterceptor(reflector)),
    ...(mapErrors ? [interceptor(() => new ErrorInterceptor(shedLoad?.retryAfterSeconds))] : []),
    ...(shedLoad ? [guard(shedLoad)] : []),
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
