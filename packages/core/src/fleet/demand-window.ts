/**
 * The most that was wanted at once, over some time: of a load that comes and goes within it, the peaks count, so that its
 * share stays where it is.
 */
export class DemandWindow {
  /** Of each part of that time, the current one last. */
  readonly #peaks: number[]

  /** @param parts how many there are. */
  constructor(parts: number) {
    this.#peaks = Array.from({ length: parts }, () => 0)
  }

  /** Of the current part. */
  get current(): number {
    return this.#peaks.at(-1) as number
  }

  get most(): number {
    return Math.max(...this.#peaks)
  }

  note(demand: number): void {
    if (demand > this.current) this.#peaks[this.#peaks.length - 1] = demand
  }

  /** The next part begins. What is wanted now may have been wanted for long. */
  next(demand: number): void {
    this.#peaks.shift()
    this.#peaks.push(demand)
  }
}
