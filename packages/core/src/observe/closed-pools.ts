import { ProcessWide } from '../process-wide.ts'
import type { MetricSample } from './metric.ts'
import type { PoolSnapshot } from './snapshot.ts'

/** The samples of counters and histograms, by the metric's name. */
export type Totals = ReadonlyMap<string, readonly MetricSample[]>

interface ClosedPools {
  /** The last snapshots of pools whose counts are not in `totals` yet. */
  readonly snapshots: PoolSnapshot[]
  /** By the pool's name. */
  readonly totals: Map<string, Totals>
}

/** The final counts of closed pools. */
export const closedPools: ProcessWide<ClosedPools> = new ProcessWide('poolguard.closed.2', () => ({
  snapshots: [],
  totals: new Map(),
}))
