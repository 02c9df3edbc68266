/**
 * A health indicator for Terminus.
 *
 * @module @poolguard/nestjs/terminus
 */
import { Inject, Injectable } from '@nestjs/common'
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus'
import { Poolguard } from './poolguard.ts'

/** `degraded` exists since Terminus 12. */
interface MayDegrade<Key extends string> {
  degraded?(data: object): HealthIndicatorResult<Key>
}

/**
 * Reports the pools' health to Terminus: `down` if a pool is critical, `degraded` if a pool has a warning (`up` before Terminus 12,
 * which has no `degraded`).
 *
 * @publicApi
 * @example
 * @Controller('health')
 * export class HealthController {
 *   constructor(
 *     private readonly health: HealthCheckService,
 *     private readonly pools: PoolguardHealthIndicator,
 *   ) {}
 *
 *   @Get()
 *   @HealthCheck()
 *   check() {
 *     return this.health.check([() => this.pools.isHealthy('pools')])
 *   }
 * }
 */
export class PoolguardHealthIndicator {
  readonly #indicators: HealthIndicatorService
  readonly #poolguard: Poolguard

  /** @internal */
  constructor(indicators: HealthIndicatorService, poolguard: Poolguard) {
    this.#indicators = indicators
    this.#poolguard = poolguard
  }

  /**
   * @param options `details: true` adds the pools' names and reasons, for routes that only operators can reach. Default: only the
   * status, because health routes are often public.
   */
  isHealthy<const Key extends string>(
    key: Key,
    { details = false }: { readonly details?: boolean } = {},
  ): HealthIndicatorResult<Key> {
    const { status, pools } = this.#poolguard.health()
    const data: Record<string, unknown> = details ? { pools } : {}
    const known = this.#indicators.check(key)
    const indicator = known as typeof known & MayDegrade<Key>
    if (status === 'critical') return indicator.down(data)
    if (status === 'warning' && indicator.degraded) return indicator.degraded(data)
    return indicator.up(data)
  }
}

// Decorators are called as functions, because Node's type stripping does not support decorators.
Injectable()(PoolguardHealthIndicator)
Inject(HealthIndicatorService)(PoolguardHealthIndicator, undefined, 0)
Inject(Poolguard)(PoolguardHealthIndicator, undefined, 1)
