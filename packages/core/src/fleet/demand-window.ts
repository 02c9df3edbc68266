/**
 * The maximum demand over a period. If a load comes and goes within the period, its peaks count, so that its share remains
 * stable.
 */
export class DemandWindow {
  /** The peak of each part of the period, the current part last. */
  readonly #peaks: number[]

  /** @param parts the number of parts. */
  constructor(parts: number) {
    this.#peaks = Array.from({ length: parts }, () => 0)
  }

  /** The peak of the current part. */
  get current(): number {
    return this.#peaks.at(-1) as number
  }

  get most(): number {
    return Math.max(...this.#peaks)
  }

  note(demand: number): void {
    if (demand > this.current) this.#peaks[this.#peaks.length - 1] = demand
  }

  /** Starts the next part with the current demand. */
  next(demand: number): void {
    this.#peaks.shift()
    this.#peaks.push(demand)
  }
}
