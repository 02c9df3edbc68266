/** Number of characters that are collected before they are encoded. */
const PIECE_LENGTH = 4_096
/** The most bytes that UTF-8 needs for one UTF-16 code unit. */
const MAX_BYTES_EACH = 3

/** Length of the previous page in bytes: the next one is usually as long. */
let lastLength = 0

/**
 * Builds a page as UTF-8 bytes. A concatenated string references all its parts until it is flattened: hundreds of thousands for
 * a large page, which are slow to traverse and to collect as garbage.
 */
export class PageBytes {
  #bytes = Buffer.allocUnsafeSlow(lastLength + MAX_BYTES_EACH * PIECE_LENGTH)
  #length = 0
  #piece = ''

  add(text: string): void {
    this.#piece += text
    if (this.#piece.length >= PIECE_LENGTH) this.#flush()
  }

  end(): Buffer<ArrayBuffer> {
    this.#flush()
    lastLength = this.#length
    return this.#bytes.subarray(0, this.#length)
  }

  #flush(): void {
    const needed = this.#length + this.#piece.length * MAX_BYTES_EACH
    if (needed > this.#bytes.length) this.#grow(needed * 2)
    this.#length += this.#bytes.write(this.#piece, this.#length)
    this.#piece = ''
  }

  #grow(size: number): void {
    const larger = Buffer.allocUnsafeSlow(size)
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}
