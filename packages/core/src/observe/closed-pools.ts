import { ProcessWide } from '../process-wide.ts'
import { combineSamples } from './combine-samples.ts'
import { METRICS, type MetricSample } from './metric-definitions.ts'
import type { PoolSnapshot } from './snapshot.ts'

/** The samples of counters and histograms, by the metric's name. */
type Totals = ReadonlyMap<string, readonly MetricSample[]>

/** If an app keeps opening pools under new names, the counts of the oldest names are dropped. */
const MAX_NAMES = 100
const COUNTERS = METRICS.filter(({ type }) => type !== 'gauge')
const NONE: readonly MetricSample[] = []

/** The final counts of closed pools, by the pool's name. */
const totals = new ProcessWide('poolguard.closed.1', () => new Map<string, Totals>())

/** Keeps the counts of a closed pool, so that counters that are sums over several pools do not decrease. */
export function keepCounts(snapshot: PoolSnapshot): void {
  const all = totals.value
  const { name } = snapshot
  const kept = COUNTERS.map((metric) => {
    const before = samplesOfClosed(name, metric.name)
    return [metric.name, combineSamples([...before, ...metric.read(snapshot)], 'sum')] as const
  })
  all.delete(name)
  all.set(name, new Map(kept))
  const [oldest] = all.keys()
  if (all.size > MAX_NAMES && oldest !== undefined) all.delete(oldest)
}

export function namesOfClosed(): Iterable<string> {
  return totals.value.keys()
}

export function samplesOfClosed(pool: string, metric: string): readonly MetricSample[] {
  return totals.value.get(pool)?.get(metric) ?? NONE
}
