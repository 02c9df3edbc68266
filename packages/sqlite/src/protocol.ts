/** What is said between a pool and the thread of a connection. */

/** What a parameter, and a value of a row, may be. */
export type SqliteValue = null | number | bigint | string | Uint8Array

/** Those of a statement, by their order, or by their names. */
export type SqliteParameters = readonly SqliteValue[] | Readonly<Record<string, SqliteValue>>

/** Statements of a transaction are refused where that is over, so that none of them runs by itself. */
export type Within = 'anywhere' | 'transaction'

/** What a connection can be asked. Questions are answered in their order. */
export type Question =
  | readonly [kind: 'query', within: Within, sql: string, parameters: SqliteParameters]
  | readonly [kind: 'script', within: Within, sql: string]
  | readonly [kind: 'open cursor', within: Within, sql: string, parameters: SqliteParameters, cursor: number]
  | readonly [kind: 'next', cursor: number]
  | readonly [kind: 'close cursor', cursor: number]
  /** As the statement, but for iterations, which end with the transaction. */
  | readonly [kind: 'commit']
  /** Rolls back, where a transaction is open. */
  | readonly [kind: 'roll back']
  /** Sets up the connection anew, after somebody has changed its pragmas, or attached a file. */
  | readonly [kind: 'set up']
  /**
   * Writes the WAL into the file and truncates it; waits a moment for reads that use it. The first value is 0 if that succeeded,
   * and 1 if a read, or another process, kept it from being done.
   */
  | readonly [kind: 'checkpoint']
  /** Writes what is in the WAL into the file, as far as nobody is reading from it, and closes. */
  | readonly [kind: 'close']

/** The rows of a statement, or some of them. */
export interface Rows {
  readonly columns: readonly string[]
  /** One row after the other: lists within a list would be copied between threads one by one. */
  readonly values: SqliteValue[]
}

/** What was asked for; where that is nothing, there is nothing in it. */
export interface Done extends Rows {
  /** Whether a cursor has more rows. */
  readonly more: boolean
  /** Rows inserted, updated or deleted. */
  readonly changes: number
  readonly lastInsertRowid: number | bigint
  /** How long SQLite took, once the statement was prepared. */
  readonly millis: number
}

/** An error on its way between threads, which would copy no more of one than its text. */
export interface FailureReport {
  readonly message: string
  /** As in `SQLITE_BUSY`; undefined where SQLite has not said it. */
  readonly code: string | undefined
  /** Whether a transaction is open still: some errors end it. */
  readonly inTransaction: boolean
}

export type Answer = Done | { readonly failure: FailureReport }

export type DriverName = 'better-sqlite3' | 'node:sqlite'
export type Role = 'reader' | 'writer'
export type Synchronous = 'normal' | 'full' | 'extra'

/** What a thread is started with. */
export interface ConnectionSpec {
  /** An absolute path, or `:memory:`. */
  readonly path: string
  readonly role: Role
  readonly driver: DriverName | 'auto'
  readonly busyTimeoutMillis: number
  readonly synchronous: Synchronous
  readonly foreignKeys: boolean
  readonly integers: 'number' | 'bigint'
  readonly maxPreparedStatements: number
  /** The WAL is truncated to this size when SQLite resets it. */
  readonly walBytesToKeep: number
}

/** What a thread is given, with what it shares with its pool. */
export interface ThreadData extends ConnectionSpec {
  /** How many questions it has done with so far, be they told yet or not, in one number that overflows. */
  readonly progress: Int32Array
}

/** What a thread says first. */
export type Greeting =
  | { readonly opened: true; readonly driver: DriverName; readonly warning: string | undefined }
  | { readonly opened: false; readonly failure: FailureReport }
