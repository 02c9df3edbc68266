import { InvalidOptionError } from '../invalid-option-error.ts'
import { type MetricsPage, renderMetrics } from './prometheus.ts'
import type { ScrapedMetrics } from './scraped-metrics.ts'

/** A server or a pooler whose metrics are on an adapter's metrics page, and whose sessions or pools are on its live page. */
export type MetricsSource = Pick<ScrapedMetrics, 'source' | 'read'> &
  Partial<Pick<ScrapedMetrics, 'report' | 'terminate'>>

/** Additional sources of an adapter's pages. */
export type MetricsSources = readonly MetricsSource[]

/**
 * Validates the sources of a metrics page.
 *
 * @throws {InvalidOptionError} if an element is not a source, or if two sources have the same name.
 */
export function requireSources(option: string, given: unknown): MetricsSources {
  if (!Array.isArray(given))
    throw new InvalidOptionError(option, given, 'an array of sources, such as [postgresSource(url)]')
  const names = new Set<string>()
  for (const [position, each] of given.entries()) {
    const { source, read } = Object(each) as Partial<ScrapedMetrics>
    if (typeof source !== 'string' || typeof read !== 'function') {
      throw new InvalidOptionError(`${option}[${position}]`, each, 'a source made by postgresSource or pgBouncerSource')
    }
    if (names.has(source)) {
      throw new InvalidOptionError(`${option}[${position}].source`, source, 'a name that no other source has')
    }
    names.add(source)
  }
  return given
}

/**
 * Renders the page of {@link renderMetrics} with the metrics of the sources. Each source is queried at most once per
 * interval.
 *
 * @example
 * const { contentType, body } = await renderPage(request.headers.accept, [postgresSource(process.env.DATABASE_URL)])
 */
export async function renderPage(accept: string | undefined, sources: MetricsSources): Promise<MetricsPage> {
  const families = await Promise.all(sources.map((source) => source.read()))
  return renderMetrics(accept, families.flat())
}
