import type { PoolSettings } from './pool-settings.ts'

/** The settings of a pool, whose bounds change, and how many connections they allow. */
export class Limits {
  #settings: PoolSettings
  /** How many connections callers may have at the same time, whatever `max` is; Infinity if nothing but `max` limits them. */
  lending: number
  /** Waiters for whom one connection more than `max` may be opened. */
  #overflow = 0

  constructor(settings: PoolSettings) {
    this.#settings = settings
    this.lending = initialLimit(settings)
  }

  get settings(): PoolSettings {
    return this.#settings
  }

  /** How many connections may be open. */
  get maxOpen(): number {
    return this.#settings.max + Math.min(1, this.#overflow)
  }

  /** How many connections callers may have at the same time. */
  get lendable(): number {
    return Math.min(this.#settings.max, this.lending)
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

/** An adaptive limit begins with what is right for most servers. */
function initialLimit({ limit, serverCores }: PoolSettings): number {
  if (limit === 'adaptive') return 2 * serverCores + 1
  return typeof limit === 'number' ? limit : Infinity
}
