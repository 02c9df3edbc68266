/**
 * An instance that waits for connections looks at the claims of the others more often than this. After a longer pause between two
 * looks, it begins its observations of claims anew.
 */
export const CLAIM_GAP_INTERVALS: number = 3 / 4
/**
 * An instance opens connections only while it has left its claim unused for less than this: for less than the others tolerate, by the time
 * that it takes to open a connection.
 */
const USABLE_INTERVALS = 2
/** Periods that begin within this part of an interval count as one, so that few have to be remembered. */
const MERGED_PART = 1 / 10

/** A period in which connections were claimed and not open. */
interface Period {
  readonly since: number
  /** Its maximum of open connections in that time. */
  readonly peak: number
}

interface Ended extends Period {
  readonly endedAt: number
}

/**
 * Follows how long this instance has left a part of its claim unused, as other instances may have seen it, who do not count on a
 * claim that stays unused: see {@link UsageWatch}. An instance that is suspended cannot withdraw its claim, so it has to know
 * by its clock that the claim no longer counts.
 *
 * Another instance only sees what is true at its looks. It may miss that the claim was used for a short time, or that more
 * connections were open: so a period that has ended continues if its figures return before every other instance has looked.
 */
export class UnusedClaim {
  readonly #intervalMillis: number
  #current: Period | undefined
  #ended: readonly Ended[] = []

  constructor(intervalMillis: number) {
    this.#intervalMillis = intervalMillis
  }

  /** Until when more connections may be opened under the published claim. */
  get usableUntil(): number {
    return this.#current ? this.#current.since + USABLE_INTERVALS * this.#intervalMillis : Infinity
  }

  /** Whether the instance may claim more than it has open. */
  mayClaim(now: number, open: number): boolean {
    const { since } = this.#continue(now, now, open)
    return now < since + USABLE_INTERVALS * this.#intervalMillis
  }

  /**
   * Records the claim that other instances see and the open connections.
   *
   * @param since when this may have become so, at the earliest.
   */
  note(now: number, claimed: number, open: number, since: number = now): void {
    if (claimed > open) this.#current = this.#continue(now, since, open)
    else if (this.#current) {
      this.#end(this.#current, now)
      this.#current = undefined
    }
  }

  /** The period in which the claim is unused now. */
  #continue(now: number, since: number, open: number): Period {
    const current = this.#current
    if (current && open > current.peak) this.#end(current, now)
    const recent = this.#ended.filter(({ endedAt, peak }) => now - endedAt < this.#gapMillis && open <= peak)
    const periods = current && open <= current.peak ? [...recent, current] : recent
    return {
      since: Math.min(since, ...periods.map((each) => each.since)),
      peak: Math.max(open, ...periods.map(({ peak }) => peak)),
    }
  }

  get #gapMillis(): number {
    return CLAIM_GAP_INTERVALS * this.#intervalMillis
  }

  #end({ since, peak }: Period, now: number): void {
    const recent = this.#ended.filter(({ endedAt }) => now - endedAt < this.#gapMillis)
    const last = recent.at(-1)
    const isOne = last !== undefined && since - last.since < this.#intervalMillis * MERGED_PART
    const ended = {
      since: isOne ? Math.min(last.since, since) : since,
      peak: isOne ? Math.max(last.peak, peak) : peak,
      endedAt: now,
    }
    this.#ended = [...(isOne ? recent.slice(0, -1) : recent), ended]
  }
}
