/** A change of the throughput by this factor, as a logarithm, means a different workload. */
const MAX_CHANGE = 0.45
/** So many in a row are no noise. */
const ALARMS = 4
const SMOOTHING = 0.05

/** Notices that the throughput at one limit is no longer the same, so that earlier comparisons do not apply any more. */
export class ChangeDetector {
  #reference: number | undefined
  #alarms = 0

  /** Adds the logarithm of a rate at the base limit. Returns true if the workload has changed. */
  add(logRate: number): boolean {
    this.#reference ??= logRate
    const change = logRate - this.#reference
    if (Math.abs(change) <= MAX_CHANGE) {
      this.#alarms = 0
      this.#reference += change * SMOOTHING
      return false
    }
    this.#alarms++
    if (this.#alarms < ALARMS) return false
    this.#alarms = 0
    this.#reference = logRate
    return true
  }

  /** The base has changed. */
  reset(): void {
    this.#reference = undefined
    this.#alarms = 0
  }
}
