import { ChangeDetector } from './change-detector.ts'
import { type LimitSample, SampleWindow } from './limit-sample.ts'
import { type Evidence, PairedComparison, type Verdict } from './paired-comparison.ts'

/** Each slot lasts so long, and holds this much work, unless it lasts for too long then. Short slots: noise is correlated over seconds. */
const SLOT_MILLIS = 100
const SLOT_COMPLETIONS = 50
const MAX_SLOT_MILLIS = 600
/** Left out after a change of the limit, while statements that began before it are finished. */
const GUARD_MILLIS = 25
/** Without waiting callers for this long, a comparison is abandoned: later slots are not comparable with earlier ones. */
const STALE_MILLIS = 1_000
/**
 * The steps to the limits that are tried, in both directions: large ones first, then a closer look. After every second rest, and after a
 * change of the workload, a far one comes first: throughput may rise again behind a dip, and a far optimum is reached in fewer steps.
 */
const RATIOS = [2, 1.6] as const
const FAR_RATIO = 8
/** The pause after no neighbour was better; doubled each time. */
const REST_MILLIS = 2_000
const MAX_REST_MILLIS = 32_000
/** How long a limit that was worse by a tenth is not tried again; twice that for more. */
const SHUN_MILLIS = 15_000
const INITIAL_NOISE = 0.1
const MAX_NOISE = 0.4
/** What a comparison has shown counts for half in the next one of the same limits, and as this many pairs at most. */
const MAX_PRIOR_PAIRS = 16

export interface LimitBounds {
  readonly min: number
  readonly max: number
}

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
 * ({@link PairedComparison}). A better one becomes the current limit; if no neighbour is better, the controller looks closer, then rests.
 *
 * Only time in which callers wait counts: without demand the limit makes no difference, and stays. A pure function of its samples.
 */
export class LimitController {
  #bounds: LimitBounds
  #base: number
  #limit: number
  #comparison: PairedComparison | undefined
  #last: LimitComparison | undefined
  #direction = 1
  /** Index of the current ratio in `#ratios`. */
  #step = 0
  /** How often it has rested at the current base. */
  #rests = 0
  /** Directions without a better limit, at the current ratio. */
  #lost = 0
  #noise = INITIAL_NOISE
  readonly #window = new SampleWindow()
  readonly #change = new ChangeDetector()
  /** What is known about other limits, compared with the current one. */
  readonly #evidence = new Map<number, Evidence>()
  readonly #shunnedUntil = new Map<number, number>()
  #guardMillis = 0
  #restMillis = REST_MILLIS
  #restUntil = 0
  #staleMillis = 0
  /** The least number of callers in the last slot. */
  #demand = Infinity
  /** The saturated time so far. */
  #time = 0

  constructor(initial: number, bounds: LimitBounds) {
    this.#bounds = bounds
    this.#base = within(initial, bounds)
    this.#limit = this.#base
  }

  /** The limit to apply now. */
  get limit(): number {
    return this.#limit
  }

  /** The best limit that is known. */
  get base(): number {
    return this.#base
  }

  get last(): LimitComparison | undefined {
    return this.#last
  }

  /** Whether two limits are being compared. */
  get isProbing(): boolean {
    return this.#comparison !== undefined
  }

  setBounds(bounds: LimitBounds): void {
    if (bounds.min === this.#bounds.min && bounds.max === this.#bounds.max) return
    this.#bounds = bounds
    const base = within(this.#base, bounds)
    if (base !== this.#base) this.#moveTo(base)
    if (within(this.#limit, bounds) !== this.#limit || this.#comparison === undefined) this.#abandon()
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
    if (this.#limit !== this.#base) this.#shunnedUntil.set(this.#limit, this.#time + SHUN_MILLIS)
    this.#abandon()
  }

  #onSlot(logRate: number, completions: number): void {
    if (this.#limit === this.#base && this.#change.add(logRate)) {
      this.#startAnew()
      return
    }
    const comparison = this.#comparison
    if (!comparison) {
      if (this.#time >= this.#restUntil) this.#compareNext()
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

  #decide({ base, candidate }: PairedComparison, { wins, gain, confidence, evidence }: Verdict): void {
    this.#last = { base, candidate, throughputRatio: Math.exp(evidence.mean), confidence }
    if (wins) {
      this.#moveTo(candidate)
      this.#evidence.set(base, weakened({ mean: -evidence.mean, pairs: evidence.pairs }))
      this.#shun(base, -gain)
      this.#compareNext()
      return
    }
    this.#evidence.set(candidate, weakened(evidence))
    this.#shun(candidate, gain)
    this.#turn()
  }

  #moveTo(base: number): void {
    this.#base = base
    this.#limit = base
    this.#lost = 0
    this.#rests = 0
    this.#restMillis = REST_MILLIS
    this.#change.reset()
    // Evidence and shunned limits are relative to the old base.
    this.#evidence.clear()
    this.#shunnedUntil.clear()
  }

  /** The workload has changed. */
  #startAnew(): void {
    this.#rests = 0
    this.#restMillis = REST_MILLIS
    this.#step = 0
    this.#lost = 0
    this.#evidence.clear()
    this.#shunnedUntil.clear()
    this.#compareNext()
  }

  #compareNext(): void {
    const candidate = this.#neighbour()
    if (candidate === this.#base || (this.#shunnedUntil.get(candidate) ?? 0) > this.#time) {
      this.#turn()
      return
    }
    this.#comparison = new PairedComparison(this.#base, candidate, this.#evidence.get(candidate))
    this.#limit = this.#comparison.limit
  }

  get #ratios(): readonly number[] {
    return this.#rests % 2 === 0 ? [FAR_RATIO, ...RATIOS] : RATIOS
  }

  #neighbour(): number {
    const exact = Math.round(this.#base * (this.#ratios[this.#step] as number) ** this.#direction)
    if (this.#direction < 0) return within(Math.min(this.#base - 1, exact), this.#bounds)
    // With so many connections that no caller waits, nothing could be learned.
    const useful = Math.max(this.#base, this.#demand - 1)
    return within(Math.min(Math.max(this.#base + 1, exact), useful), this.#bounds)
  }

  /** No better limit in this direction: try the other one, then both with the next ratio, then rest. */
  #turn(): void {
    this.#direction = -this.#direction
    this.#lost++
    this.#limit = this.#base
    this.#comparison = undefined
    if (this.#lost >= 2) {
      this.#lost = 0
      this.#step++
    }
    if (this.#step === this.#ratios.length) {
      this.#rest()
      return
    }
    this.#compareNext()
  }

  #rest(): void {
    this.#rests++
    this.#step = 0
    this.#restUntil = this.#time + this.#restMillis
    this.#restMillis = Math.min(this.#restMillis * 2, MAX_REST_MILLIS)
  }

  #abandon(): void {
    this.#comparison = undefined
    this.#limit = this.#base
    this.#window.clear()
  }

  #shun(limit: number, gain: number): void {
    const factor = Math.min(2, Math.max(0, (-gain - 0.05) / 0.05))
    this.#shunnedUntil.set(limit, this.#time + SHUN_MILLIS * factor)
  }
}

function within(limit: number, { min, max }: LimitBounds): number {
  return Math.min(Math.max(limit, min), Math.max(min, max))
}

/** Old evidence counts for half: the workload may have changed a little since. */
function weakened({ mean, pairs }: Evidence): Evidence {
  return { mean, pairs: Math.min(MAX_PRIOR_PAIRS, pairs / 2) }
}
