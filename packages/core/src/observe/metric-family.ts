import { addUpClosed } from './closed-totals.ts'
import { combineSamples } from './combine-samples.ts'
import {
  type MetricDefinition,
  type MetricDescription,
  type MetricSample,
  NO_LABELS,
  POOL_LABEL,
  type ReadableMetric,
} from './metric.ts'
import { METRICS } from './metric-definitions.ts'
import type { PoolSnapshot } from './snapshot.ts'

/** One metric with its current values. */
export interface MetricFamily extends Pick<MetricDescription, 'name' | 'type' | 'help'> {
  readonly samples: readonly MetricSample[]
}

/** Reads metrics that do not belong to a pool. A duplicate series would make the page invalid: the first one counts. */
export function readFamilies<Figures>(metrics: readonly ReadableMetric<Figures>[], figures: Figures): MetricFamily[] {
  return metrics.map(({ name, type, help, read }) => ({ name, type, help, samples: firstOfEachSeries(read(figures)) }))
}

function firstOfEachSeries(samples: readonly MetricSample[]): MetricSample[] {
  const series = new Map<string, MetricSample>()
  for (const sample of samples) {
    const key = JSON.stringify(Object.entries(sample.labels))
    if (!series.has(key)) series.set(key, sample)
  }
  return [...series.values()]
}

/**
 * Reads every metric of every pool. Pools with the same name, including closed ones, count as one: two series must not have the
 * same labels, and a counter must not decrease.
 */
export function readMetrics(
  snapshots: readonly PoolSnapshot[],
  definitions: readonly MetricDefinition[] = METRICS,
): readonly MetricFamily[] {
  const open = Map.groupBy(snapshots, ({ name }) => name)
  const closed = addUpClosed()
  const pools = [...new Set([...open.keys(), ...closed.keys()])].map((name) => ({
    // One object for all series of a pool: the page caches the rendered labels by this object.
    labels: { [POOL_LABEL]: name },
    same: open.get(name) ?? [],
    closed: closed.get(name),
  }))
  return definitions.map((definition) => {
    const { name, type, help } = definition
    const samples: MetricSample[] = []
    for (const pool of pools) {
      for (const { labels, value } of readPool(definition, pool.same, pool.closed?.get(name) ?? [])) {
        samples.push({ labels: labels === NO_LABELS ? pool.labels : { ...pool.labels, ...labels }, value })
      }
    }
    return { name, type, help, samples }
  })
}

function readPool(
  { read, combine = 'sum' }: MetricDefinition,
  same: readonly PoolSnapshot[],
  closed: readonly MetricSample[],
): readonly MetricSample[] {
  const [first] = same
  if (first && same.length + closed.length === 1) return read(first)
  return combineSamples([...closed, ...same.flatMap(read)], combine)
}
