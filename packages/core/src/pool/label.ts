import { AsyncLocalStorage } from 'node:async_hooks'
import { ProcessWide } from '../process-wide.ts'
import { DurationHistogram, type Durations } from './durations.ts'

/** Bounds memory if labels come from URLs. Further labels count as {@link OTHER_LABEL}. */
export const MAX_LABELS = 200
export const OTHER_LABEL = 'other'

/** Created with the first label: before Node 24, an AsyncLocalStorage in use slows every await of the process. */
const labels = new ProcessWide('poolguard.labels.1', () => new AsyncLocalStorage<string>())

/**
 * Runs a callback under a label, such as a route or the name of a job. Pools measure the waits of callers for each label. Adapters of
 * frameworks wrap each request in it. It costs nothing from Node 24 on; before, every await of the process takes 2.4 times as long.
 *
 * @param label one of a few: a route (`GET /orders/:id`), never a path.
 * @example
 * await runWithLabel('nightly invoices', () => pool.query('refresh materialized view invoices'))
 */
export function runWithLabel<T>(label: string, callback: () => T): T {
  return labels.value.run(label, callback)
}

/** Runs a callback under no label. */
export function leaveLabel<T>(callback: () => T): T {
  return labels.existing ? labels.existing.exit(callback) : callback()
}

/** The label of the current call. */
export function currentLabel(): string | undefined {
  return labels.existing?.getStore()
}

/** How long callers waited, by label. */
export class LabelledWaits {
  readonly #waits = new Map<string, DurationHistogram>()

  record(label: string, millis: number): void {
    this.#histogramOf(label).record(millis)
  }

  read(): Readonly<Record<string, Durations>> {
    return Object.fromEntries([...this.#waits].map(([label, histogram]) => [label, histogram.read()]))
  }

  #histogramOf(label: string): DurationHistogram {
    const known = this.#waits.get(label)
    if (known) return known
    const kept = this.#waits.size < MAX_LABELS ? label : OTHER_LABEL
    const histogram = this.#waits.get(kept) ?? new DurationHistogram()
    this.#waits.set(kept, histogram)
    return histogram
  }
}
