import { closedPools } from './closed-pools.ts'
import type { PoolSnapshot } from './snapshot.ts'

/** An app that keeps opening and closing pools may never read its metrics. */
const MAX_SNAPSHOTS = 20

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
