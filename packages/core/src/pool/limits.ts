import type { PoolSettings } from './pool-settings.ts'

/** The settings of a pool, whose bounds change, and how many connections they allow. */
export class Limits {
  #settings: PoolSettings
  /** Waiters for whom one connection more than `max` may be opened. */
  #overflow = 0

  constructor(settings: PoolSettings) {
    this.#settings = settings
  }

  get settings(): PoolSettings {
    return this.#settings
  }

  /** How many connections may be open. */
  get maxOpen(): number {
    return this.#settings.max + Math.min(1, this.#overflow)
  }

  resize(min: number, max: number): void {
    this.#settings = { ...this.#settings, min, max }
  }

  /** Allows one connection more than `max` until the result settles. */
  withOverflow<T>(wait: () => Promise<T>): Promise<T> {
    this.#overflow++
    return wait().finally(() => {
      this.#overflow--
    })
  }
}
