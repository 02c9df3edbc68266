/** Total length of all texts, as in pgjdbc's statement cache (preparedStatementCacheSizeMiB, https://jdbc.postgresql.org/documentation/use/). */
const MAX_CHARACTERS = 5 * 1024 * 1024

/**
 * A cache of recently used keys with values, bounded in number and, for text keys, in characters. It has two generations: when the
 * young one is full, it becomes the old one; a key that is read in the old generation moves to the young one. Unlike with LRU order,
 * reading a young key changes nothing, and a flood of keys that never repeat needs no reordering.
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

  /** The value of a key, which then counts as recently used. */
  get(key: K): V | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old === undefined) return undefined
    this.#old.delete(key)
    this.add(key, old)
    return old
  }

  /** Adds a key that does not exist yet. */
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
