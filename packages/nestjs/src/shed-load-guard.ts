import {
  type CanActivate,
  type CustomDecorator,
  type ExecutionContext,
  ServiceUnavailableException,
  SetMetadata,
} from '@nestjs/common'
import type { Reflector } from '@nestjs/core'
import { listPools } from '@poolguard/core/adapter'
import type { ShedLoadOptions } from '@poolguard/core/web'
import { bodyOf, LoadShedder } from '@poolguard/web/adapter'
import { laneOf } from './lane-interceptor.ts'

const SKIPS_LOAD_SHEDDING = 'poolguard:skips-load-shedding'

/**
 * Handlers or controllers with this decorator are served however overloaded the database is: health checks, for example.
 *
 * @publicApi
 * @example
 * @SkipLoadShedding()
 * @Controller('health')
 * export class HealthController {}
 */
export function SkipLoadShedding(): CustomDecorator {
  return SetMetadata(SKIPS_LOAD_SHEDDING, true)
}

/** The method that Express and Fastify responses share. */
interface PlatformResponse {
  header(name: string, value: string): unknown
}

/** Rejects requests with 503 and Retry-After before their handlers run, while the database is overloaded. */
export class ShedLoadGuard implements CanActivate {
  readonly #reflector: Reflector
  readonly #shedder: LoadShedder

  constructor(options: ShedLoadOptions, reflector: Reflector) {
    this.#reflector = reflector
    this.#shedder = new LoadShedder(listPools, options)
  }

  /** @throws ServiceUnavailableException if the request is rejected. */
  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()]
    if (this.#reflector.getAllAndOverride<boolean | undefined>(SKIPS_LOAD_SHEDDING, targets)) return true
    const rejected = this.#shedder.reject(laneOf(this.#reflector, context))
    if (!rejected) return true
    if (context.getType() === 'http') {
      const response = context.switchToHttp().getResponse<PlatformResponse>()
      for (const [name, value] of Object.entries(rejected.headers)) response.header(name, value)
    }
    throw new ServiceUnavailableException(bodyOf(rejected), { cause: rejected })
  }
}
