/** A round trip counts for this long at least, and for twice as long at most: routes change. */
const WINDOW_MILLIS = 30_000

/** The shortest time between sending a statement and its answer, which is close to the round trip of the network. */
export class RoundTrip {
  #windowEnd = Number.NEGATIVE_INFINITY
  #current = Infinity
  #previous = Infinity

  /** 0 if nothing was measured. */
  get millis(): number {
    const least = Math.min(this.#current, this.#previous)
    return least === Infinity ? 0 : least
  }

  record(millis: number, now: number): void {
    if (now >= this.#windowEnd) {
      // After a pause longer than a window, neither of the two is recent.
      this.#previous = now >= this.#windowEnd + WINDOW_MILLIS ? Infinity : this.#current
      this.#current = Infinity
      this.#windowEnd = now + WINDOW_MILLIS
    }
    if (millis < this.#current) this.#current = millis
  }
}
