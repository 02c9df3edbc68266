import type { SqliteDatabase, SqliteStatement } from './sqlite-driver.ts'

/** A prepared statement and the names of its columns. */
export interface PreparedStatement {
  readonly statement: SqliteStatement
  /** Undefined if the names can change with the schema, so that each run must read them. */
  readonly columns: readonly string[] | undefined
  readonly givesRows: boolean
}

/** `*` depends on the schema, and a rowid has the name of its alias column. */
const SCHEMA_DEPENDENT = /\*|rowid|oid/i

/** The most recently used statements of one connection. */
export class StatementCache {
  readonly #database: SqliteDatabase
  readonly #capacity: number
  /** In order of use, the most recent one last. */
  readonly #statements = new Map<string, PreparedStatement>()
  #last: { readonly sql: string; readonly prepared: PreparedStatement } | undefined

  constructor(database: SqliteDatabase, capacity: number) {
    this.#database = database
    this.#capacity = capacity
  }

  take(sql: string): PreparedStatement {
    // The same text as before is already last in the order.
    if (sql === this.#last?.sql) return this.#last.prepared
    const known = this.#statements.get(sql)
    if (known) this.#statements.delete(sql)
    const prepared = known ?? this.prepare(sql)
    this.#statements.set(sql, prepared)
    this.#last = { sql, prepared }
    if (this.#statements.size > this.#capacity) this.#dropOldest()
    return prepared
  }

  /** Prepares an uncached statement, which an iteration can use for a long time. */
  prepare(sql: string): PreparedStatement {
    const statement = this.#database.prepare(sql)
    const columns = statement.columns()
    // Column names in the text itself cannot change: without the column the statement fails.
    return { statement, columns: SCHEMA_DEPENDENT.test(sql) ? undefined : columns, givesRows: columns.length > 0 }
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
