import type { AutomaticStatements } from './automatic-statements.ts'

/** What is prepared on one connection. */
export class ConnectionStatements {
  readonly #pool: AutomaticStatements
  /** In the order of their last use. */
  readonly #names = new Set<string>()
  #closing: string[] = []
  #generation: number

  constructor(pool: AutomaticStatements) {
    this.#pool = pool
    this.#generation = pool.generation
  }

  /** Statements that the server has, as far as is known here. */
  get size(): number {
    return this.#names.size
  }

  /** A statement is about to be used. Whether it must be parsed first; {@link takeClosing} then says what to close before. */
  use(name: string): boolean {
    if (this.#generation !== this.#pool.generation) {
      this.#generation = this.#pool.generation
      this.doubt()
    }
    const known = this.#names.delete(name)
    this.#names.add(name)
    while (this.#names.size > this.#pool.maxPrepared) this.#closeOldest()
    return !known
  }

  /** What the server may still have and nobody needs: to be closed with the next message, so that it costs no round trip. */
  takeClosing(): readonly string[] {
    if (this.#closing.length === 0) return NONE
    const closing = this.#closing
    this.#closing = []
    return closing
  }

  /** The server would not parse it. */
  refused(name: string): void {
    this.#names.delete(name)
  }

  /** What the server has by that name may no longer fit. */
  doubtOne(name: string): void {
    if (this.#names.delete(name)) this.#closing.push(name)
  }

  /** The server has dropped them all. */
  forget(): void {
    this.#names.clear()
    this.#closing = []
  }

  /** The server may have dropped some of them. To close one that is gone is no error. */
  doubt(): void {
    this.#closing.push(...this.#names)
    this.#names.clear()
  }

  #closeOldest(): void {
    const [oldest] = this.#names
    if (oldest === undefined) return
    this.#names.delete(oldest)
    this.#closing.push(oldest)
  }
}

const NONE: readonly string[] = []
