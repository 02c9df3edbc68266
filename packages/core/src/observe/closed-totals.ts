import { closedPools, type Totals } from './closed-pools.ts'
import { combineSamples } from './combine-samples.ts'
import type { MetricSample } from './metric.ts'
import { METRICS } from './metric-definitions.ts'
import type { PoolSnapshot } from './snapshot.ts'

/** If an app keeps opening pools under new names, the counts of the oldest names are dropped. */
const MAX_NAMES = 100
const COUNTERS = METRICS.filter(({ type }) => type !== 'gauge')
const NONE: readonly MetricSample[] = []

/** Adds the counts of pools that were closed since the last call to the totals of their names. */
export function addUpClosed(): ReadonlyMap<string, Totals> {
  const { snapshots, totals } = closedPools.value
  for (const snapshot of snapshots.splice(0)) add(snapshot, totals)
  return totals
}

function add(snapshot: PoolSnapshot, totals: Map<string, Totals>): void {
  const { name } = snapshot
  const before = totals.get(name)
  const counts = COUNTERS.map((metric) => {
    const samples = [...(before?.get(metric.name) ?? NONE), ...metric.read(snapshot)]
    return [metric.name, combineSamples(samples, 'sum')] as const
  })
  totals.delete(name)
  totals.set(name, new Map(counts))
  const [oldest] = totals.keys()
  if (totals.size > MAX_NAMES && oldest !== undefined) totals.delete(oldest)
}
