/** The weights of a new sample: that of TCP's round-trip estimate (RFC 6298) for the mean, and a smaller one for the deviation. */
const MEAN_WEIGHT = 1 / 8
const DEVIATION_WEIGHT = 1 / 16
/** The first samples include planning and cold caches, so they count equally. */
const FIRST_SAMPLES = 8

/** How long the server works on one statement, without the time on the network: a running mean and its deviation. */
export class ServiceTime {
  #samples = 0
  #observed = 0
  #mean = 0
  #deviation = 0

  /** False until the statement has run once. */
  get isKnown(): boolean {
    return this.#samples > 0
  }

  /** True once it was measured behind another statement, where the network does not blur the measurement. */
  get isObserved(): boolean {
    return this.#observed > 0
  }

  get mean(): number {
    return this.#mean
  }

  get deviation(): number {
    return this.#deviation
  }

  /** What most executions stay below. */
  get upper(): number {
    return this.#mean + this.#deviation
  }

  /**
   * @param observed true if the statement was ready to run when its predecessor ended.
   * @param mostMillis a longer time counts as this one, so that a single pause of the process or the server does not decide.
   */
  record(sample: number, observed: boolean, mostMillis: number): void {
    const millis = Math.min(sample, mostMillis)
    this.#samples++
    // The first measurement behind another statement replaces the estimates, which depend on the network.
    const isFirst = this.#samples === 1 || (observed && this.#observed === 0)
    if (observed) this.#observed++
    if (isFirst) {
      this.#mean = millis
      this.#deviation = millis / 2
      return
    }
    const difference = millis - this.#mean
    this.#deviation += (Math.abs(difference) - this.#deviation) * DEVIATION_WEIGHT
    this.#mean += difference * Math.max(MEAN_WEIGHT, 1 / Math.min(this.#samples, FIRST_SAMPLES))
  }
}
