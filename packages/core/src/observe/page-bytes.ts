/** So much of a page, in characters, is put together before it becomes bytes. */
const PIECE_LENGTH = 4_096
/** UTF-8 takes no more bytes for a unit of JavaScript's strings. */
const MAX_BYTES_EACH = 3

/** Of the page before: the next one is mostly as long. */
let lastLength = 0

/**
 * A page in the making, as the bytes that are sent. A string that grows refers to all the parts it was made of until somebody
 * reads it, and of a large page those are hundreds of thousands, slow to visit and slow to clean away.
 */
export class PageBytes {
  #bytes = Buffer.allocUnsafeSlow(lastLength + MAX_BYTES_EACH * PIECE_LENGTH)
  #length = 0
  #piece = ''

  add(text: string): void {
    this.#piece += text
    if (this.#piece.length >= PIECE_LENGTH) this.#layAside()
  }

  end(): Buffer<ArrayBuffer> {
    this.#layAside()
    lastLength = this.#length
    return this.#bytes.subarray(0, this.#length)
  }

  #layAside(): void {
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
