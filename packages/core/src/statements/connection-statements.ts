import type { AutomaticStatements } from './automatic-statements.ts'

/** The statements that are prepared on one connection, and the driver's row description of each. */
export class ConnectionStatements<Rows = never> {
  readonly #pool: AutomaticStatements
  /** In order of their last use. */
  readonly #names = new Map<string, Rows | undefined>()
  #closing: string[] = []
  #generation: number

  constructor(pool: AutomaticStatements) {
    this.#pool = pool
    this.#generation = pool.generation
  }

  /** The number of statements that are prepared on the server, to our knowledge. */
  get size(): number {
    return this.#names.size
  }

  /** Whether the statement is prepared on the server, to our knowledge. */
  has(name: string): boolean {
    this.#checkGeneration()
    return this.#names.has(name)
  }

  /** Marks a statement as used. Returns true if it must be parsed first; close the statements of {@link takeClosing} before. */
  use(name: string): boolean {
    this.#checkGeneration()
    const rows = this.#names.get(name)
    const known = this.#names.delete(name)
    this.#names.set(name, rows)
    while (this.#names.size > this.#pool.maxPreparedStatements) this.#closeOldest()
    return !known
  }

  /** The row description of a statement, once the server has sent it; kept while the statement is prepared. */
  rowsOf(name: string): Rows | undefined {
    return this.#names.get(name)
  }

  keepRowsOf(name: string, rows: Rows): void {
    if (this.#names.has(name)) this.#names.set(name, rows)
  }

  /** Returns the unused statements that the server may still have. Close them with the next message, so that it costs no round trip. */
  takeClosing(): readonly string[] {
    if (this.#closing.length === 0) return NONE
    const closing = this.#closing
    this.#closing = []
    return closing
  }

  /** Call it when the server rejected a Parse. */
  onParseError(name: string): void {
    this.#names.delete(name)
  }

  /** The server's statement of that name may be stale. */
  invalidate(name: string): void {
    if (this.#names.delete(name)) this.#closing.push(name)
  }

  /** Call it when the server has dropped all statements. */
  clear(): void {
    this.#names.clear()
    this.#closing = []
  }

  /** Call it when the server may have dropped some statements. Closing an unknown statement is no error. */
  invalidateAll(): void {
    this.#closing.push(...this.#names.keys())
    this.#names.clear()
  }

  /** Invalidates all statements if the pool's generation has changed. */
  #checkGeneration(): void {
    if (this.#generation === this.#pool.generation) return
    this.#generation = this.#pool.generation
    this.invalidateAll()
  }

  #closeOldest(): void {
    const [oldest] = this.#names.keys()
    if (oldest === undefined) return
    this.#names.delete(oldest)
    this.#closing.push(oldest)
  }
}

const NONE: readonly string[] = []
