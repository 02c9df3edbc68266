import type { Durations } from '../pool/index.ts'
import {
  METRICS,
  type MetricDefinition,
  type MetricDescription,
  NO_LABELS,
  POOL_LABEL,
  type ReadableMetric,
  type Sample,
} from './metric-definitions.ts'
import type { PoolSnapshot } from './snapshot.ts'

/** One metric with its values of the moment. */
export interface MetricFamily extends Pick<MetricDescription, 'name' | 'type' | 'help'> {
  readonly samples: readonly Sample[]
}

/** Reads metrics of something else than pools. */
export function readFamilies<Figures>(metrics: readonly ReadableMetric<Figures>[], figures: Figures): MetricFamily[] {
  return metrics.map(({ name, type, help, read }) => ({ name, type, help, samples: read(figures) }))
}

/** Reads every metric of every pool. Pools of one name count as one: two series must not have the same labels. */
export function readMetrics(
  snapshots: readonly PoolSnapshot[],
  definitions: readonly MetricDefinition[] = METRICS,
): readonly MetricFamily[] {
  const pools = [...Map.groupBy(snapshots, ({ name }) => name)].map(([name, same]) => ({
    // One object for all series of a pool, by which their text is known again.
    labels: { [POOL_LABEL]: name },
    same,
  }))
  return definitions.map((definition) => {
    const { name, type, help } = definition
    const samples: Sample[] = []
    for (const { labels, same } of pools) readPool(definition, same, labels, samples)
    return { name, type, help, samples }
  })
}

function readPool(
  { read, combine = 'sum' }: MetricDefinition,
  same: readonly PoolSnapshot[],
  poolLabels: Sample['labels'],
  samples: Sample[],
): void {
  const found = same.length === 1 ? read(same[0] as PoolSnapshot) : combineSeries(same.flatMap(read), combine)
  for (const { labels, value } of found) {
    samples.push({ labels: labels === NO_LABELS ? poolLabels : { ...poolLabels, ...labels }, value })
  }
}

function combineSeries(found: readonly Sample[], how: 'sum' | 'max'): Iterable<Sample> {
  const series = new Map<string, Sample>()
  for (const { labels, value } of found) {
    const key = Object.values(labels).join('\n')
    const known = series.get(key)
    series.set(key, { labels, value: known ? combined(known.value, value, how) : value })
  }
  return series.values()
}

function combined(a: Sample['value'], b: Sample['value'], how: 'sum' | 'max'): Sample['value'] {
  if (typeof a === 'number' || typeof b === 'number') {
    return how === 'sum' ? Number(a) + Number(b) : Math.max(Number(a), Number(b))
  }
  return addDurations(a, b)
}

function addDurations(a: Durations, b: Durations): Durations {
  return {
    count: a.count + b.count,
    sumMillis: a.sumMillis + b.sumMillis,
    buckets: a.buckets.map((count, i) => count + (b.buckets[i] ?? 0)),
  }
}
