import {
  type CanActivate,
  type CustomDecorator,
  type ExecutionContext,
  HttpStatus,
  ServiceUnavailableException,
  SetMetadata,
} from '@nestjs/common'
import type { Reflector } from '@nestjs/core'
import { LoadShedding, listPools, type ShedLoadOptions } from '@poolguard/core/adapter'
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
  readonly #shedding: LoadShedding

  constructor(options: ShedLoadOptions, reflector: Reflector) {
    this.#reflector = reflector
    this.#shedding = new LoadShedding(listPools, options)
  }

  /** @throws ServiceUnavailableException if the request is rejected. */
  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()]
    if (this.#reflector.getAllAndOverride<boolean | undefined>(SKIPS_LOAD_SHEDDING, targets)) return true
    const retryAfterSeconds = this.#shedding.reject(laneOf(this.#reflector, context))
    if (retryAfterSeconds === undefined) return true
    if (context.getType() === 'http')
      context.switchToHttp().getResponse<PlatformResponse>().header('retry-after', String(retryAfterSeconds))
    throw new ServiceUnavailableException({
      statusCode: HttpStatus.SERVICE_UNAVAILABLE,
      code: 'POOLGUARD_LOAD_SHED',
      error: 'Service Unavailable',
      message: 'Too many requests wait for the database. Try again later.',
    })
  }
}
