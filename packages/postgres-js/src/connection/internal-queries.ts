import type { TextRow } from '@poolguard/core/adapter'
import type { Sql } from 'postgres'
import type { Query } from '../internals.ts'

/** How an internal query differs from the application's: the user's options for rows and for preparing do not apply to it. */
export interface InternalQueryMode {
  plainRows: boolean
  prepare: boolean
}

/** The connection that internal queries are sent on. */
export interface QuerySender {
  /** Sends a query while no other one is in flight. `answered` is called when the connection is ready again, or lost. */
  run(query: Query, answered: () => void): void
  /** Sends a query behind those in flight. */
  execute(query: Query): boolean
}

/** The queries that poolguard itself sends, on a connection with no other query in flight. */
export class InternalQueries {
  readonly #connection: QuerySender
  readonly #makeQuery: Sql['unsafe']
  readonly #mode: InternalQueryMode

  constructor(connection: QuerySender, makeQuery: Sql['unsafe'], mode: InternalQueryMode) {
    this.#connection = connection
    this.#makeQuery = makeQuery
    this.#mode = mode
  }

  async ask(text: string): Promise<readonly TextRow[]> {
    return readRows(await this.#run(this.#make(text)))
  }

  /** The rows of one statement by the names of their columns. */
  async askNamed(text: string): Promise<readonly Readonly<Record<string, string | null>>[]> {
    const result = (await this.#run(this.#make(text))) as { readonly columns: readonly { readonly name: string }[] }
    return readRows(result).map((row) =>
      Object.fromEntries(result.columns.map(({ name }, i) => [name, row[i] ?? null])),
    )
  }

  /**
   * Prepares a text, under a name that postgres.js chooses, and runs it. Right behind it, so that it reaches the same server
   * through a pooler, goes what undoes that; where the pooler has given the name another one, it fails and changes nothing.
   */
  async askPrepared(text: string): Promise<{ readonly row: TextRow; readonly name: string }> {
    const query = this.#make(text, { prepare: true, simple: false })
    const undo = () => {
      const undoing = this.#make(`deallocate "${query.statement?.name}"`)
      undoing.reject = () => {}
      this.#connection.execute(undoing)
    }
    const [row = []] = readRows(await this.#run(query, undo))
    return { row, name: query.statement?.name ?? '' }
  }

  #make(text: string, options?: { prepare: boolean; simple: boolean }): Query {
    return this.#makeQuery(text, [], options as never).raw() as unknown as Query
  }

  /** Settles when the connection is ready for whatever comes next. */
  #run(query: Query, behind?: () => void): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    let settle: (() => void) | undefined
    query.resolve = (value) => {
      settle ??= () => resolve(value)
    }
    query.reject = (error) => {
      settle ??= () => reject(error)
    }
    this.#mode.plainRows = true
    this.#mode.prepare = behind !== undefined
    this.#connection.run(query, () => {
      this.#mode.plainRows = false
      settle?.()
    })
    behind?.()
    this.#mode.prepare = false
    return promise
  }
}

/** Of one statement, or of the last of several. */
function readRows(result: unknown): readonly TextRow[] {
  const rows = ('command' in (result as object) ? result : (result as unknown[]).at(-1)) as (Buffer | null)[][]
  return rows.map((row) => row.map((value) => (value === null ? null : value.toString())))
}
