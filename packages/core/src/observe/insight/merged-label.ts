import { DURATION_BOUNDS_MILLIS, type Durations } from '../../pool/index.ts'
import type { InsightWindow } from './insight-window.ts'
import type { LabelUse } from './label-use.ts'
import { addTimes, doubles, LEASE_TIMES } from './lease-times.ts'
import type { StatementUse } from './statement-use.ts'

/** A label in all windows. */
export interface MergedLabel {
  readonly label: string | null
  readonly leases: Durations
  readonly times: readonly number[]
  readonly site: string | null
  readonly statements: readonly StatementUse[]
  readonly uses: readonly LabelUse[]
}

export function mergeLabels(windows: readonly InsightWindow[]): MergedLabel[] {
  const grouped = Map.groupBy(
    windows.flatMap(({ labels }) => [...labels.values()].filter(({ leases }) => leases.read().count > 0)),
    ({ label }) => label,
  )
  return [...grouped].map(([label, uses]) => {
    const times = doubles(LEASE_TIMES)
    for (const use of uses) addTimes(times, use.times)
    return {
      label: label ?? null,
      leases: sumOf(uses.map(({ leases }) => leases.read())),
      times,
      site: uses.findLast(({ site }) => site !== undefined)?.site ?? null,
      statements: uses.flatMap(({ statements }) => [...statements.values()]),
      uses,
    }
  })
}

export function sumOf(all: readonly Durations[]): Durations {
  const [first, ...rest] = all
  if (first && rest.length === 0) return first
  const buckets = Array.from({ length: DURATION_BOUNDS_MILLIS.length + 1 }, (_, i) =>
    sum(all, (each) => each.buckets[i] ?? 0),
  )
  return { count: sum(all, ({ count }) => count), sumMillis: sum(all, ({ sumMillis }) => sumMillis), buckets }
}

function sum(all: readonly Durations[], read: (each: Durations) => number): number {
  return all.reduce((total, each) => total + read(each), 0)
}

export function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0
}
