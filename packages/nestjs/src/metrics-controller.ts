import { Controller, Get, Headers, Res, type Type, UseGuards, VERSION_NEUTRAL } from '@nestjs/common'
import { InvalidOptionError, type MetricsSources } from '@poolguard/core'
import { renderPage, requireSources } from '@poolguard/core/adapter'
import type { MetricsOptions } from './module-options.ts'
import { SkipLoadShedding } from './shed-load-guard.ts'

/** The methods that Express and Fastify responses share. */
interface PlatformResponse {
  header(name: string, value: string): this
  send(body: Buffer): unknown
}

/**
 * The metrics of every guarded pool of the process, for Prometheus to scrape. Extend it if `metrics: { path, guards, sources }`
 * is not enough.
 *
 * @publicApi
 * @example
 * @UseGuards(ScrapeGuard)
 * @Controller('internal/metrics')
 * export class MetricsController extends PoolguardMetricsController {
 *   constructor(config: ConfigService) {
 *     super([postgresSource(config.getOrThrow('DATABASE_URL'))])
 *   }
 * }
 */
export abstract class PoolguardMetricsController {
  readonly #sources: MetricsSources

  /**
   * @param sources metrics of the server and the pooler, on the same page as the pools'.
   * @throws {InvalidOptionError} for an invalid source, and for two sources with the same name.
   */
  constructor(sources: MetricsSources = []) {
    this.#sources = requireSources('sources', sources)
  }

  /** Sends the response itself, so that interceptors which wrap results do not change the text. */
  async read(accept: string | undefined, response: PlatformResponse): Promise<void> {
    const { contentType, body } = await renderPage(accept, this.#sources)
    response.header('content-type', contentType).header('cache-control', 'no-store').send(body)
  }
}

// Decorators are called as functions, because Node's type stripping does not support decorators.
const { prototype } = PoolguardMetricsController
const read = Object.getOwnPropertyDescriptor(prototype, 'read') as TypedPropertyDescriptor<typeof prototype.read>
Get()(prototype, 'read', read)
Headers('accept')(prototype, 'read', 0)
Res()(prototype, 'read', 1)

/**
 * Creates the controller at its path, without the app's versioning.
 *
 * @throws {InvalidOptionError} for an invalid option.
 */
export function metricsController({ path = 'metrics', guards = [], sources = [] }: MetricsOptions): Type {
  // Reject a URL here: the router's error would show its password.
  if (typeof path !== 'string' || /@|:\//.test(path))
    throw new InvalidOptionError('metrics.path', path, "a path, such as 'internal/metrics'")
  if (!Array.isArray(guards)) throw new InvalidOptionError('metrics.guards', guards, 'an array, such as [ScrapeGuard]')
  const checked = requireSources('metrics.sources', sources)
  class PoolguardMetrics extends PoolguardMetricsController {
    constructor() {
      super(checked)
    }
  }
  Controller({ path, version: VERSION_NEUTRAL })(PoolguardMetrics)
  UseGuards(...guards)(PoolguardMetrics)
  SkipLoadShedding()(PoolguardMetrics)
  return PoolguardMetrics
}
