/** Of texts in all, as in pgjdbc's statement cache (preparedStatementCacheSizeMiB, https://jdbc.postgresql.org/documentation/use/). */
const MAX_CHARACTERS = 5 * 1024 * 1024

/**
 * What is known of each of the keys met lately, bounded in number and, where they are texts, in characters. In two
 * generations: a full one becomes the old one, and what is met there moves to the young. So, unlike with least-recently-used
 * order, meeting a young key changes nothing, and a flood of keys that never come again passes through without being sorted.
 */
export class RecentKeys<K extends string | number, V> {
  readonly #perGeneration: number
  #young = new Map<K, V>()
  #old = new Map<K, V>()
  #youngCharacters = 0

  /** Never holds more than `capacity` keys. */
  constructor(capacity: number) {
    this.#perGeneration = Math.ceil(capacity / 2)
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** What is known of it, which is then new to stay. */
  get(key: K): V | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old === undefined) return undefined
    this.#old.delete(key)
    this.add(key, old)
    return old
  }

  /** Only for a key that is not there. */
  add(key: K, value: V): void {
    const characters = typeof key === 'string' ? key.length : 0
    if (this.#young.size >= this.#perGeneration || this.#youngCharacters + characters > MAX_CHARACTERS / 2) {
      this.#old = this.#young
      this.#young = new Map()
      this.#youngCharacters = 0
    }
    this.#young.set(key, value)
    this.#youngCharacters += characters
  }
}
