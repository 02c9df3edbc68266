/** A text that counts the characters that are read. It implements the string methods that the tokenizer uses. */
export class CountingText {
  readonly #text: string
  steps = 0

  constructor(text: string) {
    this.#text = text
  }

  get length(): number {
    return this.#text.length
  }

  charCodeAt(index: number): number {
    this.steps++
    return this.#text.charCodeAt(index)
  }

  startsWith(wanted: string, position: number): boolean {
    this.steps += wanted.length
    return this.#text.startsWith(wanted, position)
  }

  slice(start: number, end: number): string {
    this.steps += end - start
    return this.#text.slice(start, end)
  }

  indexOf(wanted: string, from: number): number {
    const found = this.#text.indexOf(wanted, from)
    this.steps += (found < 0 ? this.#text.length : found + wanted.length) - from
    return found
  }

  /** Itself, typed as a string. */
  asString(): string {
    return this as unknown as string
  }
}
