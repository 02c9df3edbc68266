/** How much evidence a decision takes. */
export interface Criteria {
  /** What a doubling of the limit must gain in throughput to be worth it, as a logarithm. Without it, the limit would wander up a flat curve. */
  readonly pricePerDoubling: number
  /** A difference of this many standard errors decides. */
  readonly clearErrors: number
  /** After so many pairs, what is known decides. */
  readonly maxPairs: number
}

const CRITERIA: Criteria = { pricePerDoubling: 0.01, clearErrors: 1.2, maxPairs: 24 }
const MIN_PAIRS = 3
/** A candidate that gains less than this, as a logarithm, even if it is half a standard error better than measured, is not worth more time. */
const MIN_GAIN = 0.03
const HOPELESS_ERRORS = 0.5
/** So large a difference decides with the first pair. */
const GLARING = 0.15
const GLARING_ERRORS = 4
/** The standard deviation of the logarithm of one count of n statements is about this, divided by the root of n. */
const COUNT_NOISE = 0.7
const MAX_PRIOR_PAIRS = 16

/** Evidence about a candidate: the mean difference of so many pairs. */
export interface Evidence {
  readonly mean: number
  readonly pairs: number
}

/** The result of a comparison. */
export interface Verdict {
  readonly wins: boolean
  /** The gain of the candidate over the base, as a logarithm, less the price of a larger limit. */
  readonly gain: number
  /** The probability that the sign of the gain is right, from 0.5 to 1. */
  readonly confidence: number
  readonly evidence: Evidence
}

/**
 * Compares two limits that are in effect by turns: candidate, base, base, candidate, and so on, so that a slow change of the server
 * affects both alike.
 */
export class PairedComparison {
  readonly base: number
  readonly candidate: number
  readonly #prior: Evidence
  readonly #differences: number[] = []
  #slots = 0
  #first = 0
  #completions = 0

  /** @param prior what earlier comparisons of the same two limits have shown. */
  constructor(base: number, candidate: number, prior: Evidence = { mean: 0, pairs: 0 }) {
    this.base = base
    this.candidate = candidate
    this.#prior = prior
  }

  /** The limit of the next slot. */
  get limit(): number {
    return this.#isCandidateSlot ? this.candidate : this.base
  }

  get #isCandidateSlot(): boolean {
    return this.#slots % 4 === 0 || this.#slots % 4 === 3
  }

  /** Adds the slot that was measured at `limit`. Returns true if a pair is complete. */
  add(logRate: number, completions: number): boolean {
    const isCandidate = this.#isCandidateSlot
    this.#slots++
    this.#completions += (completions - this.#completions) / this.#slots
    if (this.#slots % 2 === 1) {
      this.#first = logRate
      return false
    }
    this.#differences.push(isCandidate ? logRate - this.#first : this.#first - logRate)
    return true
  }

  /** The variance of the differences; undefined before the second pair. */
  get variance(): number | undefined {
    const count = this.#differences.length
    if (count < 2) return undefined
    const mean = this.#ownMean
    return this.#differences.reduce((sum, difference) => sum + (difference - mean) ** 2, 0) / (count - 1)
  }

  get #ownMean(): number {
    return this.#differences.reduce((sum, difference) => sum + difference, 0) / this.#differences.length
  }

  /**
   * The result, as soon as it is clear.
   *
   * @param noise the standard deviation of one pair.
   */
  verdict(noise: number): Verdict | undefined {
    const own = this.#differences.length
    const pairs = own + this.#prior.pairs
    const mean = (this.#ownMean * own + this.#prior.mean * this.#prior.pairs) / pairs
    const pairNoise = Math.hypot(noise, COUNT_NOISE * Math.sqrt(2 / Math.max(1, this.#completions)))
    return judge(this, { mean, pairs }, { own, error: pairNoise / Math.sqrt(pairs), criteria: CRITERIA })
  }
}

interface Reliability {
  /** The pairs of this comparison, without those of earlier ones. */
  readonly own: number
  /** The standard error of the mean. */
  readonly error: number
  readonly criteria: Criteria
}

/** Whether the evidence about two limits is clear; undefined if it takes more pairs. */
export function judge(
  { base, candidate }: { readonly base: number; readonly candidate: number },
  evidence: Evidence,
  { own, error, criteria: { pricePerDoubling, clearErrors, maxPairs } }: Reliability,
): Verdict | undefined {
  const gain = evidence.mean - pricePerDoubling * Math.log2(candidate / base)
  const isGlaring = Math.abs(gain) > Math.max(GLARING, GLARING_ERRORS * error)
  const isClear = isGlaring || (own >= MIN_PAIRS && Math.abs(gain) > clearErrors * error)
  const isHopeless = own >= MIN_PAIRS && gain + HOPELESS_ERRORS * error < MIN_GAIN
  if (!isClear && !isHopeless && own < maxPairs) return undefined
  // Without a clear result the smaller limit is better, unless it seems worse.
  const wins = isClear ? gain > 0 : candidate < base && gain > 0
  return { wins, gain, confidence: normalProbability(Math.abs(gain) / error), evidence }
}

/** Old evidence counts for half, and as this many pairs at most: the workload may have changed a little since. */
export function weakened({ mean, pairs }: Evidence): Evidence {
  return { mean, pairs: Math.min(MAX_PRIOR_PAIRS, pairs / 2) }
}

/** The probability that a normally distributed number is below z, for z >= 0 (Abramowitz and Stegun, 26.2.17). */
function normalProbability(z: number): number {
  const t = 1 / (1 + 0.2316419 * z)
  const polynomial = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial
}
