import { combineSamples } from './combine-samples.ts'
import { METRICS, type Sample } from './metric-definitions.ts'
import type { PoolSnapshot } from './snapshot.ts'

/** The samples of counters and histograms, by the metric's name. */
type Totals = ReadonlyMap<string, readonly Sample[]>

const KEY: unique symbol = Symbol.for('poolguard.closed.1')
/** Of pools that have come and gone under ever new names, the first are forgotten. */
const MOST_NAMES = 100
const COUNTERS = METRICS.filter(({ type }) => type !== 'gauge')
const NONE: readonly Sample[] = []

/** What the pools of each name had counted when they were closed. On globalThis, as the open ones are. */
function totals(): Map<string, Totals> {
  const holder = globalThis as { [KEY]?: Map<string, Totals> }
  holder[KEY] ??= new Map()
  return holder[KEY]
}

/** Keeps what a pool has counted, so that the sums it was part of do not go down without it. */
export function keepCounts(snapshot: PoolSnapshot): void {
  const all = totals()
  const { name } = snapshot
  const kept = COUNTERS.map((metric) => {
    const before = samplesOfClosed(name, metric.name)
    return [metric.name, combineSamples([...before, ...metric.read(snapshot)], 'sum')] as const
  })
  all.delete(name)
  all.set(name, new Map(kept))
  const [oldest] = all.keys()
  if (all.size > MOST_NAMES && oldest !== undefined) all.delete(oldest)
}

export function namesOfClosed(): Iterable<string> {
  return totals().keys()
}

export function samplesOfClosed(pool: string, metric: string): readonly Sample[] {
  return totals().get(pool)?.get(metric) ?? NONE
}
