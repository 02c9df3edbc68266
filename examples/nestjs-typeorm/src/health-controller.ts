import { Controller, Get } from '@nestjs/common'
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus'
import { PoolguardHealthIndicator } from '@poolguard/nestjs/terminus'

@Controller()
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly pools: PoolguardHealthIndicator,
  ) {}

  /** Ignores the pools: a restart of this process does not make the database available. */
  @Get('healthz')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([])
  }

  @Get('readyz')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.pools.isHealthy('pools')])
  }
}
