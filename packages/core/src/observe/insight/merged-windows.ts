import { addDurations, type Durations } from '../../pool/index.ts'
import type { InsightWindow } from './insight-window.ts'
import type { LabelUse } from './label-use.ts'
import type { LeaseSums } from './lease-sums.ts'
import { addTimes, doubles, LEASE_TIMES, totalMillis } from './lease-times.ts'
import type { StatementUse } from './statement-use.ts'

/** The windows together. */
export interface MergedWindows {
  readonly labels: readonly MergedLabel[]
  /** Of a pool that has lanes. */
  readonly lanes: readonly MergedLane[]
  /** Of all labels. */
  readonly times: readonly number[]
  readonly usedMillis: number
  readonly capacityMillis: number
  /** Undefined if there is no window. */
  readonly beganAt: number | undefined
}

/** Leases of all windows. */
interface MergedLeases {
  readonly leases: Durations
  readonly times: readonly number[]
}

export interface MergedLane extends MergedLeases {
  readonly lane: string
}

export interface MergedLabel extends MergedLeases {
  readonly label: string | null
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
    lanes: mergeLanes(windows),
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
  return [...grouped].map(([label, uses]) => ({
    label: label ?? null,
    ...mergeLeases(uses),
    site: uses.findLast(({ site }) => site !== undefined)?.site ?? null,
    statements: uses.flatMap(({ statements }) => [...statements.values()]),
    uses,
  }))
}

function mergeLanes(windows: readonly InsightWindow[]): MergedLane[] {
  const grouped = Map.groupBy(
    windows.flatMap(({ lanes }) => [...lanes]),
    ([lane]) => lane,
  )
  return [...grouped].map(([lane, entries]) => ({ lane, ...mergeLeases(entries.map(([, sums]) => sums)) }))
}

/** @param all at least one. */
function mergeLeases(all: readonly LeaseSums[]): MergedLeases {
  const times = doubles(LEASE_TIMES)
  for (const each of all) addTimes(times, each.times)
  return { leases: all.map(({ leases }) => leases.read()).reduce(addDurations), times }
}

export function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0
}
