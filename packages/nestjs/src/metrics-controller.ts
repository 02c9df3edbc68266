import { Controller, Get, Headers, Res, type Type, UseGuards, VERSION_NEUTRAL } from '@nestjs/common'
import { InvalidOptionError, type MetricsSources } from '@poolguard/core'
import { renderPage, requireSources } from '@poolguard/core/adapter'
import type { MetricsOptions } from './module-options.ts'

/** What Express' and Fastify's responses have in common. */
interface PlatformResponse {
  header(name: string, value: string): this
  send(body: Buffer): unknown
}

/**
 * The metrics of every guarded pool of the process, for Prometheus to scrape. To be extended where
 * `metrics: { path, guards, sources }` is not enough.
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
   * @param sources beside the pools.
   * @throws {InvalidOptionError} for what is no source, and where two have one name.
   */
  constructor(sources: MetricsSources = []) {
    this.#sources = requireSources('sources', sources)
  }

  /** Answers by itself, so that interceptors which wrap what handlers return leave the text alone. */
  async read(accept: string | undefined, response: PlatformResponse): Promise<void> {
    const { contentType, body } = await renderPage(accept, this.#sources)
    response.header('content-type', contentType).header('cache-control', 'no-store').send(body)
  }
}

// Decorators, as functions: the sources are run by Node's type stripping, which knows no decorators.
const { prototype } = PoolguardMetricsController
const read = Object.getOwnPropertyDescriptor(prototype, 'read') as TypedPropertyDescriptor<typeof prototype.read>
Get()(prototype, 'read', read)
Headers('accept')(prototype, 'read', 0)
Res()(prototype, 'read', 1)

/**
 * The controller at a path of its own, outside of the app's versioning.
 *
 * @throws {InvalidOptionError} for an option that cannot be meant.
 */
export function metricsController({ path = 'metrics', guards = [], sources = [] }: MetricsOptions): Type {
  // A URL in its place would be shown by the router's error.
  if (typeof path !== 'string' || /@|:\//.test(path))
    throw new InvalidOptionError('metrics.path', path, "a path, as 'internal/metrics'")
  if (!Array.isArray(guards)) throw new InvalidOptionError('metrics.guards', guards, 'a list, as [ScrapeGuard]')
  const checked = requireSources('metrics.sources', sources)
  class PoolguardMetrics extends PoolguardMetricsController {
    constructor() {
      super(checked)
    }
  }
  Controller({ path, version: VERSION_NEUTRAL })(PoolguardMetrics)
  UseGuards(...guards)(PoolguardMetrics)
  return PoolguardMetrics
}
