import { addDurations, MAX_LABELS, OTHER_LABEL } from '../pool/index.ts'
import type { MetricSample } from './metric.ts'

/** The labels of all series beyond `MAX_LABELS`. */
const OVERFLOW_LABELS: MetricSample['labels'] = { label: OTHER_LABEL }

/**
 * Combines samples with equal labels. Each pool limits the number of its callers' labels; this limits them again, because pools
 * that are opened and closed under one name may each have different labels.
 */
export function combineSamples(found: readonly MetricSample[], how: 'sum' | 'max'): MetricSample[] {
  const series = new Map<string, MetricSample>()
  for (const { labels: own, value } of found) {
    const exceedsLimit = series.size >= MAX_LABELS && !series.has(keyOf(own))
    const labels = exceedsLimit ? OVERFLOW_LABELS : own
    const key = keyOf(labels)
    const known = series.get(key)
    series.set(key, { labels, value: known ? combine(known.value, value, how) : value })
  }
  return [...series.values()]
}

function keyOf(labels: MetricSample['labels']): string {
  return Object.values(labels).join('\n')
}

function combine(a: MetricSample['value'], b: MetricSample['value'], how: 'sum' | 'max'): MetricSample['value'] {
  if (typeof a === 'number' || typeof b === 'number') {
    return how === 'sum' ? Number(a) + Number(b) : Math.max(Number(a), Number(b))
  }
  return addDurations(a, b)
}
