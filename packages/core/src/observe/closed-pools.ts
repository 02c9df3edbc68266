import { ProcessWide } from '../process-wide.ts'
import type { MetricSample } from './metric-definitions.ts'
import type { PoolSnapshot } from './snapshot.ts'

/** The samples of counters and histograms, by the metric's name. */
export type Totals = ReadonlyMap<string, readonly MetricSample[]>

interface ClosedPools {
  /** The last snapshots of pools whose counts are not in `totals` yet. */
  readonly snapshots: PoolSnapshot[]
  /** By the pool's name. */
  readonly totals: Map<string, Totals>
}

/** An app that keeps opening and closing pools may never read its metrics. */
const MAX_SNAPSHOTS = 20

/** The final counts of closed pools. */
export const closedPools: ProcessWide<ClosedPools> = new ProcessWide('poolguard.closed.2', () => ({
  snapshots: [],
  totals: new Map(),
}))

/**
 * Keeps the counts of a closed pool, so that counters that are sums over several pools do not decrease. They are added up when metrics
 * are read, because the metrics' definitions are loaded only for that.
 */
export function keepCounts(snapshot: PoolSnapshot): void {
  const { snapshots } = closedPools.value
  snapshots.push(snapshot)
  if (snapshots.length > MAX_SNAPSHOTS) addUp()
}

function addUp(): void {
  import('./load-totals.ts').then(
    ({ addUpClosed }) => addUpClosed(),
    () => {}, // The next pool that is closed tries again.
  )
}
