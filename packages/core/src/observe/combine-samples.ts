import { type Durations, MAX_LABELS, OTHER_LABEL } from '../pool/index.ts'
import type { MetricSample } from './metric-definitions.ts'

/** Where there are more than a pool itself would keep. */
const OTHERS: MetricSample['labels'] = { label: OTHER_LABEL }

/**
 * One sample for each set of labels. Labels of callers are the only ones that may be many: each pool bounds its own, and here
 * they are bounded once more, since pools that come and go under one name may each have others.
 */
export function combineSamples(found: readonly MetricSample[], how: 'sum' | 'max'): MetricSample[] {
  const series = new Map<string, MetricSample>()
  for (const { labels: own, value } of found) {
    const isOneTooMany = series.size >= MAX_LABELS && !series.has(keyOf(own))
    const labels = isOneTooMany ? OTHERS : own
    const key = keyOf(labels)
    const known = series.get(key)
    series.set(key, { labels, value: known ? combined(known.value, value, how) : value })
  }
  return [...series.values()]
}

function keyOf(labels: MetricSample['labels']): string {
  return Object.values(labels).join('\n')
}

function combined(a: MetricSample['value'], b: MetricSample['value'], how: 'sum' | 'max'): MetricSample['value'] {
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
