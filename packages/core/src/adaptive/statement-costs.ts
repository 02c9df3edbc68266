/** What is older than this counts half. Much longer than a slot of a comparison, so that both limits are measured with the same weights. */
const HALF_LIFE_MILLIS = 10_000

/** Durations, of which older ones count less. */
interface Sum {
  millis: number
  count: number
  /** How often it has been halved. */
  halvings: number
}

/**
 * Weighs each statement by the time that it usually takes, relative to the mean of all statements. Without weights, throughput would be
 * highest when a few slow statements hold back no quick ones, and a second with more reports in it would look like a worse limit.
 *
 * Statements take longer while more of them run. So a statement's own mean and that of all forget at the same pace, by time: if one followed
 * a change faster than the other, the larger limit of a comparison would seem to do more work, however many statements a second has.
 */
export class StatementCosts {
  readonly #sums = new WeakMap<object, Sum>()
  readonly #all = newSum()
  #halvings = 0
  #agedMillis = 0

  /** Some time has passed. */
  age(millis: number): void {
    this.#agedMillis += millis
    const halvings = Math.floor(this.#agedMillis / HALF_LIFE_MILLIS)
    this.#halvings += halvings
    this.#agedMillis -= halvings * HALF_LIFE_MILLIS
  }

  /** Learns from one execution, and returns the weight of the statement: 1 for one that takes as long as the mean. */
  weigh(statement: object, millis: number): number {
    let sum = this.#sums.get(statement)
    if (!sum) {
      sum = newSum()
      this.#sums.set(statement, sum)
    }
    const cost = this.#add(sum, millis)
    const mean = this.#add(this.#all, millis)
    return mean > 0 ? cost / mean : 1
  }

  /** @returns the mean with this execution. */
  #add(sum: Sum, millis: number): number {
    if (sum.halvings < this.#halvings) {
      const rest = 0.5 ** (this.#halvings - sum.halvings)
      sum.millis *= rest
      sum.count *= rest
      sum.halvings = this.#halvings
    }
    sum.millis += millis
    sum.count++
    return sum.millis / sum.count
  }
}

function newSum(): Sum {
  return { millis: 0, count: 0, halvings: 0 }
}
