/**
 * A bounded set of keys in two generations: a full one becomes the old one, and what is met there moves to the young. Unlike
 * with least-recently-used order, meeting a young key changes nothing.
 */
export class RecentKeys<K> {
  readonly #perGeneration: number
  #young = new Set<K>()
  #old = new Set<K>()

  /** Never holds more than `capacity` keys. */
  constructor(capacity: number) {
    this.#perGeneration = Math.ceil(capacity / 2)
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** Whether it is among the keys, and new to stay. */
  has(key: K): boolean {
    if (this.#young.has(key)) return true
    if (!this.#old.delete(key)) return false
    this.add(key)
    return true
  }

  add(key: K): void {
    if (this.#young.size >= this.#perGeneration) {
      this.#old = this.#young
      this.#young = new Set()
    }
    this.#young.add(key)
  }
}
