import { ChangeDetector } from './change-detector.ts'
import { type LimitSample, SampleWindow } from './limit-sample.ts'
import { type LimitBounds, LimitSearch } from './limit-search.ts'
import { PairedComparison, type Verdict, weakened } from './paired-comparison.ts'

/** Each slot lasts so long, and holds this much work, unless it lasts for too long then. Short slots: noise is correlated over seconds. */
const SLOT_MILLIS = 100
const SLOT_COMPLETIONS = 50
const MAX_SLOT_MILLIS = 600
/** Left out after a change of the limit, while statements that began before it are finished. */
const GUARD_MILLIS = 25
/** Without waiting callers for this long, a comparison is abandoned: later slots are not comparable with earlier ones. */
const STALE_MILLIS = 1_000
const PAUSES = { restMillis: 2_000, maxRestMillis: 32_000, shunMillis: 15_000 }
const INITIAL_NOISE = 0.1
const MAX_NOISE = 0.4

/** The result of the last comparison of two limits. */
export interface LimitComparison {
  readonly base: number
  readonly candidate: number
  /** The throughput with the candidate over that with the base. */
  readonly throughputRatio: number
  /** The probability that the better of the two was chosen, from 0.5 to 1. */
  readonly confidence: number
}

/**
 * Finds the limit with the highest throughput. It compares the current limit with a larger or smaller one by turns
 * ({@link PairedComparison}); {@link LimitSearch} decides with which one.
 *
 * Only time in which callers wait counts: without demand the limit makes no difference, and stays. A pure function of its samples.
 */
export class LimitController {
  readonly #search: LimitSearch
  #limit: number
  #comparison: PairedComparison | undefined
  #last: LimitComparison | undefined
  #noise = INITIAL_NOISE
  readonly #window = new SampleWindow()
  readonly #change = new ChangeDetector()
  #guardMillis = 0
  #staleMillis = 0
  /** The least number of callers in the last slot. */
  #demand = Infinity
  /** The saturated time so far. */
  #time = 0

  constructor(initial: number, bounds: LimitBounds) {
    this.#search = new LimitSearch(initial, bounds, PAUSES)
    this.#limit = this.#search.base
  }

  /** The limit to apply now. */
  get limit(): number {
    return this.#limit
  }

  /** The best limit that is known. */
  get base(): number {
    return this.#search.base
  }

  get last(): LimitComparison | undefined {
    return this.#last
  }

  /** Whether two limits are being compared. */
  get isProbing(): boolean {
    return this.#comparison !== undefined
  }

  setBounds(bounds: LimitBounds): void {
    const { min, max } = this.#search.bounds
    if (bounds.min === min && bounds.max === max) return
    const hasMoved = this.#search.setBounds(bounds)
    if (hasMoved) this.#change.reset()
    if (hasMoved || this.#limit < bounds.min || this.#limit > bounds.max || !this.#comparison) this.#abandon()
  }

  /**
   * The last `millis` were disturbed, because a connection was being opened or more were in use than the limit. The current slot begins
   * anew.
   */
  discard(millis: number): void {
    this.#window.clear()
    this.#guardMillis = GUARD_MILLIS
    this.#onStale(millis)
  }

  /** Adds a sample that was measured at `limit`. Returns the limit to apply now. */
  update(sample: LimitSample): number {
    if (sample.saturatedMillis > 0) this.#staleMillis = 0
    else this.#onStale(sample.millis)
    if (this.#guardMillis > 0) {
      this.#guardMillis -= sample.millis
      return this.#limit
    }
    this.#window.add(sample)
    this.#time += sample.saturatedMillis
    const { saturatedMillis, completions } = this.#window
    const isFull = saturatedMillis >= SLOT_MILLIS && completions >= SLOT_COMPLETIONS
    if (!isFull && saturatedMillis < MAX_SLOT_MILLIS) return this.#limit
    const before = this.#limit
    this.#demand = this.#window.demand
    this.#onSlot(this.#window.logRate, completions)
    this.#window.clear()
    if (this.#limit !== before) this.#guardMillis = GUARD_MILLIS
    return this.#limit
  }

  /** Nothing was learned. A limit at which callers do not wait, or connections cannot be opened, is not tried again soon. */
  #onStale(millis: number): void {
    this.#staleMillis += millis
    if (this.#staleMillis <= STALE_MILLIS) return
    if (this.#limit !== this.base) this.#search.shun(this.#time, this.#limit)
    this.#abandon()
  }

  #onSlot(logRate: number, completions: number): void {
    if (this.#limit === this.base && this.#change.add(logRate)) {
      this.#search.startAnew()
      this.#compareNext()
      return
    }
    const comparison = this.#comparison
    if (!comparison) {
      this.#compareNext()
      return
    }
    const isPair = comparison.add(logRate, completions)
    this.#learnNoise(isPair ? comparison.variance : undefined)
    const verdict = isPair ? comparison.verdict(this.#noise) : undefined
    if (verdict) this.#decide(comparison, verdict)
    else this.#limit = comparison.limit
  }

  /** How far pairs differ by chance is learned over all comparisons: a single one has too few pairs. */
  #learnNoise(variance: number | undefined): void {
    if (variance === undefined) return
    this.#noise = Math.min(MAX_NOISE, Math.max(0.01, Math.sqrt(this.#noise ** 2 * 0.85 + variance * 0.15)))
  }

  #decide({ base, candidate }: PairedComparison, verdict: Verdict): void {
    const { wins, confidence, evidence } = verdict
    this.#last = { base, candidate, throughputRatio: Math.exp(evidence.mean), confidence }
    this.#search.decide(this.#time, candidate, { ...verdict, evidence: weakened(evidence) })
    if (wins) this.#change.reset()
    this.#compareNext()
  }

  #compareNext(): void {
    const candidate = this.#search.next(this.#time, this.#demand)
    this.#comparison =
      candidate === undefined
        ? undefined
        : new PairedComparison(this.base, candidate, this.#search.evidenceOf(candidate))
    this.#limit = this.#comparison?.limit ?? this.base
  }

  #abandon(): void {
    this.#comparison = undefined
    this.#limit = this.base
    this.#window.clear()
  }
}
