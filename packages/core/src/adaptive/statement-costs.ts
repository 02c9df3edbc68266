/** The usual cost is the mean of about this many executions: slow enough to be the same for both limits of a comparison. */
const MAX_SAMPLES = 500
const MAX_MEAN_SAMPLES = 5_000

class Mean {
  value = 0
  #samples = 0
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  add(sample: number): void {
    if (this.#samples < this.#max) this.#samples++
    this.value += (sample - this.value) / this.#samples
  }
}

/**
 * Weighs each statement by the time that it usually takes, relative to the mean of all statements. Without weights, throughput would be
 * highest when a few slow statements hold back no quick ones, and a second with more reports in it would look like a worse limit.
 */
export class StatementCosts {
  readonly #costs = new WeakMap<object, Mean>()
  readonly #mean = new Mean(MAX_MEAN_SAMPLES)

  /** Learns from one execution, and returns the weight of the statement: 1 for one that takes as long as the mean. */
  weigh(statement: object, millis: number): number {
    let cost = this.#costs.get(statement)
    if (!cost) {
      cost = new Mean(MAX_SAMPLES)
      this.#costs.set(statement, cost)
    }
    cost.add(millis)
    this.#mean.add(millis)
    return this.#mean.value > 0 ? cost.value / this.#mean.value : 1
  }
}
