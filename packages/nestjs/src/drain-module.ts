import { type DynamicModule, Inject, Module, type OnModuleDestroy } from '@nestjs/common'
import { ModulesContainer } from '@nestjs/core'
import { requireInteger } from '@poolguard/core/adapter'
import { Drain } from '@poolguard/web/adapter'
import { setDistance } from './module-distance.ts'

const DELAY = Symbol('poolguard.close-delay')

/** Begins the drain before the shutdown hooks of all other modules, so that the app can serve while load balancers find out. */
export class DrainModule implements OnModuleDestroy {
  readonly #drain: Drain
  readonly #delayMillis: number

  constructor(drain: Drain, delayMillis: number, modules: ModulesContainer) {
    this.#drain = drain
    this.#delayMillis = delayMillis
    setDistance(DrainModule, modules, Number.NEGATIVE_INFINITY)
  }

  /** @throws {InvalidOptionError} for an invalid delay. */
  static after(closeDelayMillis: number): DynamicModule {
    requireInteger('closeDelayMillis', closeDelayMillis, 0)
    return {
      module: DrainModule,
      providers: [
        { provide: Drain, useFactory: () => new Drain() },
        { provide: DELAY, useValue: closeDelayMillis },
      ],
      exports: [Drain],
    }
  }

  onModuleDestroy(): Promise<void> {
    return this.#drain.begin(this.#delayMillis)
  }
}

// Decorators are called as functions, because Node's type stripping does not support decorators.
Module({})(DrainModule)
Inject(Drain)(DrainModule, undefined, 0)
Inject(DELAY)(DrainModule, undefined, 1)
Inject(ModulesContainer)(DrainModule, undefined, 2)
