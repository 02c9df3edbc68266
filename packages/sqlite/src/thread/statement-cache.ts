import type { SqliteDatabase, SqliteStatement } from './sqlite-driver.ts'

/** A statement that was prepared, and the names of its columns. */
export interface PreparedStatement {
  readonly statement: SqliteStatement
  /** Undefined where they may change with the schema, so that they have to be asked for each time. */
  readonly columns: readonly string[] | undefined
  readonly givesRows: boolean
}

/** A rowid is called as the column that stands for it. */
const CHANGING = /\*|rowid|oid/i

/** The statements of one connection that were used last. */
export class StatementCache {
  readonly #database: SqliteDatabase
  readonly #capacity: number
  /** The one used last at the end. */
  readonly #statements = new Map<string, PreparedStatement>()
  #last: { readonly sql: string; readonly prepared: PreparedStatement } | undefined

  constructor(database: SqliteDatabase, capacity: number) {
    this.#database = database
    this.#capacity = capacity
  }

  take(sql: string): PreparedStatement {
    // Where one text comes again and again, there is nothing to put in order.
    if (sql === this.#last?.sql) return this.#last.prepared
    const known = this.#statements.get(sql)
    if (known) this.#statements.delete(sql)
    const prepared = known ?? this.prepare(sql)
    this.#statements.set(sql, prepared)
    this.#last = { sql, prepared }
    if (this.#statements.size > this.#capacity) this.#dropOldest()
    return prepared
  }

  /** One of its own, which may be in use for long. */
  prepare(sql: string): PreparedStatement {
    const statement = this.#database.prepare(sql)
    const columns = statement.columns()
    // Names that stand in the text cannot change under it: without the column it fails.
    return { statement, columns: CHANGING.test(sql) ? undefined : columns, givesRows: columns.length > 0 }
  }

  clear(): void {
    this.#statements.clear()
    this.#last = undefined
  }

  #dropOldest(): void {
    const [oldest] = this.#statements.keys()
    if (oldest !== undefined) this.#statements.delete(oldest)
  }
}
