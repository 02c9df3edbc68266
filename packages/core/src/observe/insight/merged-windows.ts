import { addDurations, type Durations } from '../../pool/index.ts'
import type { InsightWindow } from './insight-window.ts'
import type { LabelUse } from './label-use.ts'
import { addTimes, doubles, LEASE_TIMES, totalMillis } from './lease-times.ts'
import type { StatementUse } from './statement-use.ts'

/** The windows together. */
export interface MergedWindows {
  readonly labels: readonly MergedLabel[]
  /** Of all labels. */
  readonly times: readonly number[]
  readonly usedMillis: number
  readonly capacityMillis: number
  /** Undefined if there is no window. */
  readonly beganAt: number | undefined
}

/** A label in all windows. */
export interface MergedLabel {
  readonly label: string | null
  readonly leases: Durations
  readonly times: readonly number[]
  readonly site: string | null
  readonly statements: readonly StatementUse[]
  readonly uses: readonly LabelUse[]
}

/** @param capacityMillis the pool's capacity since it exists. */
export function mergeWindows(windows: readonly InsightWindow[], capacityMillis: number): MergedWindows {
  const [first] = windows
  const labels = mergeLabels(windows)
  const times = doubles(LEASE_TIMES)
  for (const { times: each } of labels) addTimes(times, each)
  return {
    labels,
    times,
    usedMillis: totalMillis(times),
    capacityMillis: capacityMillis - (first?.capacityBefore ?? 0),
    beganAt: first?.beganAt,
  }
}

function mergeLabels(windows: readonly InsightWindow[]): MergedLabel[] {
  const grouped = Map.groupBy(
    windows.flatMap(({ labels }) => [...labels.values()].filter(({ leases }) => leases.read().count > 0)),
    ({ label }) => label,
  )
  return [...grouped].map(([label, uses]) => {
    const times = doubles(LEASE_TIMES)
    for (const use of uses) addTimes(times, use.times)
    return {
      label: label ?? null,
      leases: uses.map(({ leases }) => leases.read()).reduce(addDurations),
      times,
      site: uses.findLast(({ site }) => site !== undefined)?.site ?? null,
      statements: uses.flatMap(({ statements }) => [...statements.values()]),
      uses,
    }
  })
}

export function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0
}
