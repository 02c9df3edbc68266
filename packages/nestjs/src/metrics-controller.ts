import { Get, Headers, Res } from '@nestjs/common'
import type { MetricsSources } from '@poolguard/core'
import { renderPage, requireSources } from '@poolguard/core/web'
import { SkipLoadShedding } from './shed-load-guard.ts'

/** The methods that Express and Fastify responses share. */
interface PlatformResponse {
  header(name: string, value: string): this
  send(body: Buffer): unknown
}

/**
 * The metrics of every guarded pool of the process, for Prometheus to scrape, as a controller. Extend it if guards of Nest protect the
 * metrics, or if their sources are injected; else use the option `metrics`.
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
SkipLoadShedding()(PoolguardMetricsController)
