import { AsyncLocalStorage } from 'node:async_hooks'
import { ProcessWide } from '../process-wide.ts'
import { DurationHistogram, type Durations } from './durations.ts'

/** More would let whoever makes up URLs fill the memory; what comes later is counted under {@link OTHER_LABEL}. */
export const MAX_LABELS = 200
export const OTHER_LABEL = 'other'

/**
 * Made with the first label: below Node 24 an AsyncLocalStorage in use slows every await of the process.
 */
const labels = new ProcessWide('poolguard.labels.1', () => new AsyncLocalStorage<string>())

/**
 * Runs a callback under a label, a route or the name of a job, by which pools tell apart how long callers wait. Adapters of
 * frameworks put it round each request. It costs nothing from Node 24 on, and 2.4 times every await of the process below.
 *
 * @param label one of few: a route (`GET /orders/:id`), never a path.
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

/** The label that the caller runs under. */
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
