import { MAX_LABELS, OTHER_LABEL } from '../../pool/index.ts'
import type { InsightWindow } from './insight-window.ts'
import { addTimes, doubles, LEASE_TIMES } from './lease-times.ts'

/** The times of all leases by label, since the pool exists. Windows are added when they are dropped. */
export class LabelSums {
  readonly #dropped = new Map<string | undefined, number[]>()

  add(window: InsightWindow | undefined): void {
    for (const [label, { times }] of window?.labels ?? []) addTo(this.#dropped, label, times)
  }

  /** @param windows those that have not been dropped. */
  read(windows: readonly InsightWindow[]): ReadonlyMap<string | undefined, readonly number[]> {
    const sums = new Map<string | undefined, number[]>()
    for (const [label, times] of this.#dropped) addTo(sums, label, times)
    for (const { labels } of windows) for (const [label, { times }] of labels) addTo(sums, label, times)
    return sums
  }
}

function addTo(sums: Map<string | undefined, number[]>, label: string | undefined, times: readonly number[]): void {
  const isKept = label === undefined || sums.has(label) || sums.size < MAX_LABELS
  const kept = isKept ? label : OTHER_LABEL
  const sum = sums.get(kept) ?? doubles(LEASE_TIMES)
  addTimes(sum, times)
  sums.set(kept, sum)
}
