import type { Evidence, Verdict } from './paired-comparison.ts'

/**
 * The steps to the limits that are tried, in both directions: large ones first, then a closer look. After every second rest, and after a
 * change of the workload, a far one comes first: throughput may rise again behind a dip, and a far optimum is reached in fewer steps.
 */
const RATIOS = [2, 1.6] as const
const FAR_RATIO = 8

export interface LimitBounds {
  readonly min: number
  readonly max: number
}

/** How long a search pauses. */
export interface SearchPauses {
  /** After no neighbour was better; doubled each time. */
  readonly restMillis: number
  readonly maxRestMillis: number
  /** How long a limit that was worse by a tenth is not tried again; twice that for more. */
  readonly shunMillis: number
}

/**
 * Decides which limit to compare with the best one that is known. A better one becomes the best; if no neighbour is better, the search
 * looks closer, then rests. The times are those of its caller's clock.
 */
export class LimitSearch {
  readonly #pauses: SearchPauses
  #bounds: LimitBounds
  #base: number
  #direction = 1
  /** Index of the current ratio in `#ratios`. */
  #step = 0
  /** How often it has rested at the current base. */
  #rests = 0
  /** Directions without a better limit, at the current ratio. */
  #lost = 0
  /** What is known about other limits, compared with the current one. */
  readonly #evidence = new Map<number, Evidence>()
  readonly #shunnedUntil = new Map<number, number>()
  #restMillis: number
  #restUntil = 0

  constructor(initial: number, bounds: LimitBounds, pauses: SearchPauses) {
    this.#bounds = bounds
    this.#base = within(initial, bounds)
    this.#pauses = pauses
    this.#restMillis = pauses.restMillis
  }

  /** The best limit that is known. */
  get base(): number {
    return this.#base
  }

  get bounds(): LimitBounds {
    return this.#bounds
  }

  /** Returns whether the base has changed. */
  setBounds(bounds: LimitBounds): boolean {
    this.#bounds = bounds
    const base = within(this.#base, bounds)
    if (base === this.#base) return false
    this.#moveTo(base)
    return true
  }

  /**
   * The limit to compare with the base now; undefined while the search rests.
   *
   * @param demand the least number of callers: with so many connections that no caller waits, nothing could be learned.
   */
  next(now: number, demand: number): number | undefined {
    while (now >= this.#restUntil) {
      const candidate = this.#neighbour(demand)
      if (candidate !== this.#base && (this.#shunnedUntil.get(candidate) ?? 0) <= now) return candidate
      this.#turn(now)
    }
    return undefined
  }

  /** What earlier comparisons of the base with another limit have shown. */
  evidenceOf(candidate: number): Evidence | undefined {
    return this.#evidence.get(candidate)
  }

  /** A comparison has ended. */
  decide(now: number, candidate: number, { wins, gain, evidence }: Omit<Verdict, 'confidence'>): void {
    const base = this.#base
    if (wins) {
      this.#moveTo(candidate)
      this.#evidence.set(base, { mean: -evidence.mean, pairs: evidence.pairs })
      this.#shunWorse(now, base, -gain)
      return
    }
    this.#evidence.set(candidate, evidence)
    this.#shunWorse(now, candidate, gain)
    this.#turn(now)
  }

  /** The workload has changed. */
  startAnew(): void {
    this.#rests = 0
    this.#restMillis = this.#pauses.restMillis
    this.#restUntil = 0
    this.#step = 0
    this.#lost = 0
    this.#evidence.clear()
    this.#shunnedUntil.clear()
  }

  /** Nothing can be learned about a limit now. */
  shun(now: number, limit: number): void {
    this.#shunnedUntil.set(limit, now + this.#pauses.shunMillis)
  }

  #shunWorse(now: number, limit: number, gain: number): void {
    const factor = Math.min(2, Math.max(0, (-gain - 0.05) / 0.05))
    this.#shunnedUntil.set(limit, now + this.#pauses.shunMillis * factor)
  }

  #moveTo(base: number): void {
    this.#base = base
    this.#lost = 0
    this.#rests = 0
    this.#restMillis = this.#pauses.restMillis
    // Evidence and shunned limits are relative to the old base.
    this.#evidence.clear()
    this.#shunnedUntil.clear()
  }

  get #ratios(): readonly number[] {
    return this.#rests % 2 === 0 ? [FAR_RATIO, ...RATIOS] : RATIOS
  }

  #neighbour(demand: number): number {
    const exact = Math.round(this.#base * (this.#ratios[this.#step] as number) ** this.#direction)
    if (this.#direction < 0) return within(Math.min(this.#base - 1, exact), this.#bounds)
    const useful = Math.max(this.#base, demand - 1)
    return within(Math.min(Math.max(this.#base + 1, exact), useful), this.#bounds)
  }

  /** No better limit in this direction: try the other one, then both with the next ratio, then rest. */
  #turn(now: number): void {
    this.#direction = -this.#direction
    this.#lost++
    if (this.#lost >= 2) {
      this.#lost = 0
      this.#step++
    }
    if (this.#step === this.#ratios.length) this.#rest(now)
  }

  #rest(now: number): void {
    this.#rests++
    this.#step = 0
    this.#restUntil = now + this.#restMillis
    this.#restMillis = Math.min(this.#restMillis * 2, this.#pauses.maxRestMillis)
  }
}

function within(limit: number, { min, max }: LimitBounds): number {
  return Math.min(Math.max(limit, min), Math.max(min, max))
}
