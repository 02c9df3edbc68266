import { InvalidOptionError } from '../invalid-option-error.ts'
import type { MetricFamily } from './metric-family.ts'
import { SOURCE_LABEL } from './scraped-metrics.ts'

/**
 * Merges families of the same name, because a metric must appear only once on a page.
 *
 * @throws {InvalidOptionError} if two sources have a series with the same labels: Prometheus would silently drop one of them.
 */
export function mergeFamilies(families: readonly MetricFamily[]): MetricFamily[] {
  return [...Map.groupBy(families, ({ name }) => name).values()].map((same) => {
    const [first] = same as [MetricFamily]
    return same.length === 1 ? first : { ...first, samples: mergeSamples(first.name, same) }
  })
}

function mergeSamples(name: string, families: readonly MetricFamily[]): MetricFamily['samples'] {
  const seen = new Map<string, MetricFamily>()
  return families.flatMap((family) => {
    for (const { labels } of family.samples) {
      const key = JSON.stringify(Object.entries(labels).sort())
      if ((seen.get(key) ?? family) !== family) {
        throw new InvalidOptionError(
          SOURCE_LABEL,
          labels[SOURCE_LABEL],
          `a different name for each source (metric ${name})`,
        )
      }
      seen.set(key, family)
    }
    return family.samples
  })
}
