/** In all, as in pgjdbc's statement cache (preparedStatementCacheSizeMiB, https://jdbc.postgresql.org/documentation/use/). */
const MOST_CHARACTERS = 5 * 1024 * 1024

/**
 * What is known of each of the texts met lately, bounded in number and in characters. In two generations: a full one
 * becomes the old one, and what is met there moves to the young, so that a flood of texts that never come again passes
 * through without being sorted.
 */
export class RecentTexts<V> {
  readonly #perGeneration: number
  #young = new Map<string, V>()
  #old = new Map<string, V>()
  #youngCharacters = 0

  /** Never holds more than `capacity` texts. */
  constructor(capacity: number) {
    this.#perGeneration = Math.ceil(capacity / 2)
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** What is known of it, which is then new to stay. */
  get(text: string): V | undefined {
    const young = this.#young.get(text)
    if (young !== undefined) return young
    const old = this.#old.get(text)
    if (old === undefined) return undefined
    this.#old.delete(text)
    this.add(text, old)
    return old
  }

  /** Only for a text that is not there. */
  add(text: string, value: V): void {
    if (this.#young.size >= this.#perGeneration || this.#youngCharacters + text.length > MOST_CHARACTERS / 2) {
      this.#old = this.#young
      this.#young = new Map()
      this.#youngCharacters = 0
    }
    this.#young.set(text, value)
    this.#youngCharacters += text.length
  }
}
