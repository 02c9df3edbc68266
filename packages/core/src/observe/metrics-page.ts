import { InvalidOptionError } from '../invalid-option-error.ts'
import { type MetricsPage, renderMetrics } from './prometheus.ts'
import type { ScrapedMetrics } from './scraped-metrics.ts'

/** What an adapter's page of metrics shows beside the pools. */
export type MetricsSources = readonly Pick<ScrapedMetrics, 'source' | 'read'>[]

/**
 * Checks the sources of a page.
 *
 * @throws {InvalidOptionError} for what is no source, and where two have one name.
 */
export function requireSources(option: string, given: unknown): MetricsSources {
  if (!Array.isArray(given)) throw new InvalidOptionError(option, given, 'a list, as [postgresSource(url)]')
  const names = new Set<string>()
  for (const [position, each] of given.entries()) {
    const { source, read } = Object(each) as Partial<ScrapedMetrics>
    if (typeof source !== 'string' || typeof read !== 'function') {
      throw new InvalidOptionError(`${option}[${position}]`, each, 'what postgresSource or pgBouncerSource makes')
    }
    if (names.has(source)) {
      throw new InvalidOptionError(`${option}[${position}].source`, source, 'another name than the sources before it')
    }
    names.add(source)
  }
  return given
}

/**
 * The page of {@link renderMetrics} with what these sources say on it, each asked at most once per interval.
 *
 * @example
 * const { contentType, body } = await renderPage(request.headers.accept, [postgresSource(process.env.DATABASE_URL)])
 */
export async function renderPage(accept: string | undefined, sources: MetricsSources): Promise<MetricsPage> {
  const families = await Promise.all(sources.map((source) => source.read()))
  return renderMetrics(accept, families.flat())
}
