/** What a pool's max adds up to over time: what its leases are a share of, however often it is resized. */
export class CapacityTime {
  #max: number
  #since: number
  #sumMillis = 0

  constructor(max: number, now: number) {
    this.#max = max
    this.#since = now
  }

  resize(max: number, now: number): void {
    this.#sumMillis = this.read(now)
    this.#max = max
    this.#since = now
  }

  /** In milliseconds: two connections for a second are 2 000. */
  read(now: number): number {
    return this.#sumMillis + this.#max * (now - this.#since)
  }
}
