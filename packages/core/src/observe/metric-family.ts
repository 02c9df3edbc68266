import type { Durations } from '../pool/index.ts'
import {
  METRICS,
  type MetricDefinition,
  type MetricDescription,
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
  const byName = Map.groupBy(snapshots, ({ name }) => name)
  return definitions.map((definition) => {
    const { name, type, help } = definition
    const samples = [...byName].flatMap(([pool, same]) => readPool(definition, pool, same))
    return { name, type, help, samples }
  })
}

function readPool({ read, combine = 'sum' }: MetricDefinition, pool: string, same: readonly PoolSnapshot[]): Sample[] {
  const [only] = same
  if (only && same.length === 1) {
    return read(only).map(({ labels, value }) => ({ labels: { [POOL_LABEL]: pool, ...labels }, value }))
  }
  const samples = new Map<string, Sample>()
  for (const { labels, value } of same.flatMap(read)) {
    const key = Object.values(labels).join('\n')
    const known = samples.get(key)
    samples.set(key, {
      labels: known?.labels ?? { [POOL_LABEL]: pool, ...labels },
      value: known ? combined(known.value, value, combine) : value,
    })
  }
  return [...samples.values()]
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
