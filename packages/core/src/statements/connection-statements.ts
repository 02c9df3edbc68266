import type { AutomaticStatements } from './automatic-statements.ts'

/** What is prepared on one connection, and how the driver was told that its rows look. */
export class ConnectionStatements<Rows = never> {
  readonly #pool: AutomaticStatements
  /** In the order of their last use. */
  readonly #names = new Map<string, Rows | undefined>()
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

  /** Whether the server has it, as far as is known here. */
  has(name: string): boolean {
    this.#keepUp()
    return this.#names.has(name)
  }

  /** A statement is about to be used. Whether it must be parsed first; {@link takeClosing} then says what to close before. */
  use(name: string): boolean {
    this.#keepUp()
    const rows = this.#names.get(name)
    const known = this.#names.delete(name)
    this.#names.set(name, rows)
    while (this.#names.size > this.#pool.maxPreparedStatements) this.#closeOldest()
    return !known
  }

  /** How the rows of a statement look, once the server has said so: for as long as it is prepared. */
  rowsOf(name: string): Rows | undefined {
    return this.#names.get(name)
  }

  keepRowsOf(name: string, rows: Rows): void {
    if (this.#names.has(name)) this.#names.set(name, rows)
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
    this.#closing.push(...this.#names.keys())
    this.#names.clear()
  }

  /** What was prepared before something changed is parsed anew. */
  #keepUp(): void {
    if (this.#generation === this.#pool.generation) return
    this.#generation = this.#pool.generation
    this.doubt()
  }

  #closeOldest(): void {
    const [oldest] = this.#names.keys()
    if (oldest === undefined) return
    this.#names.delete(oldest)
    this.#closing.push(oldest)
  }
}

const NONE: readonly string[] = []
