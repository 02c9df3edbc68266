import type { Durations } from '../pool/index.ts'
import type { Sample } from './metric-definitions.ts'

/** One sample for each set of labels. */
export function combineSamples(found: readonly Sample[], how: 'sum' | 'max'): Sample[] {
  const series = new Map<string, Sample>()
  for (const { labels, value } of found) {
    const key = Object.values(labels).join('\n')
    const known = series.get(key)
    series.set(key, { labels, value: known ? combined(known.value, value, how) : value })
  }
  return [...series.values()]
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
