import { type LimitSample, SampleWindow } from './limit-sample.ts'

/** All instances count these from 1970 on, so that they compare at the same time. */
export const PERIOD_MILLIS = 15_000
/** Each period begins with a comparison, in slots that alternate as in a `PairedComparison`. The rest of it is for exchanges. */
const SLOT_MILLIS = 250
const SLOTS = 40
export const COMPARED_MILLIS: number = SLOTS * SLOT_MILLIS
/** In each period, at most. */
export const PAIRS: number = SLOTS / 2
/** Left out at the begin of a slot: statements that began before it, and clocks that differ. */
const GUARD_MILLIS = 75
/** In a slot with less saturated time, callers hardly waited: the limit made no difference. */
const MIN_SATURATED_MILLIS = 100
const MIN_PAIRS = 10

/** What an instance has measured in a period. */
export interface FleetResult {
  readonly period: number
  /** Its throughput with the candidate over that with the base, as a logarithm. */
  readonly gain: number
  readonly pairs: number
  /** Statements with the base, which are its part of the fleet's work. */
  readonly weight: number
}

export interface FleetSlot {
  readonly index: number
  readonly isCandidate: boolean
  readonly isGuarded: boolean
}

export function periodOf(now: number): number {
  return Math.floor(now / PERIOD_MILLIS)
}

/** Undefined in the part of a period that has no slots. */
export function slotAt(now: number): FleetSlot | undefined {
  const phase = now - periodOf(now) * PERIOD_MILLIS
  const index = Math.floor(phase / SLOT_MILLIS)
  if (index >= SLOTS) return undefined
  return {
    index,
    isCandidate: index % 4 === 0 || index % 4 === 3,
    isGuarded: phase - index * SLOT_MILLIS < GUARD_MILLIS,
  }
}

/** Measures the throughput of one instance in the slots of a period. */
export class FleetMeter {
  #period = -1
  #index = -1
  readonly #window = new SampleWindow()
  #slots: { readonly logRate: number; readonly completions: number }[] = []

  /** Adds the work of the time that ends now. */
  add(now: number, sample: LimitSample): void {
    const [from, to] = [slotAt(now - sample.millis), slotAt(now)]
    if (periodOf(now) !== this.#period) {
      this.#period = periodOf(now)
      this.#slots = []
      this.#window.clear()
      this.#index = -1
    }
    if (to?.index !== this.#index) this.#endSlot(to?.index ?? -1)
    if (to && from?.index === to.index && !from.isGuarded) this.#window.add(sample)
  }

  /** The result of a period; undefined if callers hardly waited in it. */
  resultOf(period: number): FleetResult | undefined {
    if (period !== this.#period) return undefined
    const differences = this.#differences
    if (differences.length < MIN_PAIRS) return undefined
    const base = this.#slots.filter((_, index) => !isCandidateSlot(index))
    const weight = base.reduce((sum, { completions }) => sum + completions, 0) / base.length
    return { period, gain: mean(differences), pairs: differences.length, weight }
  }

  /** The standard deviation of the pairs; undefined with too few of them. */
  get noise(): number | undefined {
    const differences = this.#differences
    if (differences.length < MIN_PAIRS) return undefined
    const middle = mean(differences)
    const squares = differences.reduce((sum, each) => sum + (each - middle) ** 2, 0)
    return Math.sqrt(squares / (differences.length - 1))
  }

  get #differences(): readonly number[] {
    const differences: number[] = []
    for (let index = 0; index < SLOTS; index += 2) {
      const [first, second] = [this.#slots[index], this.#slots[index + 1]]
      if (!first || !second) continue
      const difference = second.logRate - first.logRate
      differences.push(isCandidateSlot(index) ? -difference : difference)
    }
    return differences
  }

  #endSlot(next: number): void {
    const { saturatedMillis, logRate, completions } = this.#window
    if (this.#index >= 0 && saturatedMillis >= MIN_SATURATED_MILLIS) this.#slots[this.#index] = { logRate, completions }
    this.#window.clear()
    this.#index = next
  }
}

function isCandidateSlot(index: number): boolean {
  return index % 4 === 0 || index % 4 === 3
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
