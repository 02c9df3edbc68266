import type { TextRow } from '@poolguard/core/adapter'
import type { Sql } from 'postgres'
import type { Query } from '../internals.ts'

/** Switches the user's options for rows and for preparing off while an internal query runs. */
export interface InternalQueryMode {
  plainRows: boolean
  prepare: boolean
}

/** The connection that internal queries are sent on. */
export interface QuerySender {
  /** Sends a query while no other one is in flight. `onAnswered` is called when the connection is ready again, or lost. */
  run(query: Query, onAnswered: () => void): void
  /** Sends a query behind the queries in flight. */
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

  /** Runs one statement and returns its rows as objects, with the columns' names as keys. */
  async askNamed(text: string): Promise<readonly Readonly<Record<string, string | null>>[]> {
    const result = (await this.#run(this.#make(text))) as { readonly columns: readonly { readonly name: string }[] }
    return readRows(result).map((row) =>
      Object.fromEntries(result.columns.map(({ name }, i) => [name, row[i] ?? null])),
    )
  }

  /**
   * Prepares a text with a name that postgres.js chooses, and runs it. A DEALLOCATE is sent directly behind it, so that it reaches the
   * same server connection of a pooler. If the pooler has renamed the statement, the DEALLOCATE fails, which does no harm.
   */
  async askPrepared(text: string): Promise<{ readonly row: TextRow; readonly name: string }> {
    const query = this.#make(text, { prepare: true, simple: false })
    const deallocate = () => {
      const deallocation = this.#make(`deallocate "${query.statement?.name}"`)
      deallocation.reject = () => {}
      this.#connection.execute(deallocation)
    }
    const [row = []] = readRows(await this.#run(query, deallocate))
    return { row, name: query.statement?.name ?? '' }
  }

  #make(text: string, options?: { prepare: boolean; simple: boolean }): Query {
    return this.#makeQuery(text, [], options as never).raw() as unknown as Query
  }

  /**
   * Settles when the connection is ready for the next query.
   *
   * @param sendBehind sends another query directly behind this one.
   */
  #run(query: Query, sendBehind?: () => void): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    let settle: (() => void) | undefined
    query.resolve = (value) => {
      settle ??= () => resolve(value)
    }
    query.reject = (error) => {
      settle ??= () => reject(error)
    }
    this.#mode.plainRows = true
    this.#mode.prepare = sendBehind !== undefined
    this.#connection.run(query, () => {
      this.#mode.plainRows = false
      settle?.()
    })
    sendBehind?.()
    this.#mode.prepare = false
    return promise
  }
}

/** The rows of one statement, or of the last of several. */
function readRows(result: unknown): readonly TextRow[] {
  const rows = ('command' in (result as object) ? result : (result as unknown[]).at(-1)) as (Buffer | null)[][]
  return rows.map((row) => row.map((value) => (value === null ? null : value.toString())))
}
