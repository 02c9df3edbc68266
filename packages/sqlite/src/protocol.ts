/** The messages between a pool and the thread of a connection. */

/** The type of a parameter and of a value in a row. */
export type SqliteValue = null | number | bigint | string | Uint8Array

/** The parameters of a statement, by position or by name. */
export type SqliteParameters = readonly SqliteValue[] | Readonly<Record<string, SqliteValue>>

/** After its transaction has ended, the thread rejects a statement of it, which would otherwise be committed on its own. */
export type Within = 'anywhere' | 'transaction'

/** The questions to a connection, which answers them in order. */
export type Question =
  | readonly [kind: 'query', within: Within, sql: string, parameters: SqliteParameters]
  | readonly [kind: 'script', within: Within, sql: string]
  | readonly [kind: 'open cursor', within: Within, sql: string, parameters: SqliteParameters, cursor: number]
  | readonly [kind: 'next', cursor: number]
  | readonly [kind: 'close cursor', cursor: number]
  /** Commits, and closes the transaction's iterations. */
  | readonly [kind: 'commit']
  /** Rolls back if a transaction is open. */
  | readonly [kind: 'roll back']
  /** Restores the connection's settings after a caller changed its pragmas or attached a file. */
  | readonly [kind: 'set up']
  /**
   * Writes the WAL into the file and truncates it; waits briefly for reads that use it. The first value is 0 if that succeeded,
   * and 1 if a read, or another process, kept it from being done.
   */
  | readonly [kind: 'checkpoint']
  /** Writes the WAL into the file, except for the part that reads still use, and closes. */
  | readonly [kind: 'close']

/** The rows of a statement, or some of them. */
export interface Rows {
  readonly columns: readonly string[]
  /** All rows in one flat list: nested lists would be copied between threads one by one. */
  readonly values: SqliteValue[]
}

/** The answer to a question; empty for questions without a result. */
export interface Done extends Rows {
  /** Whether a cursor has more rows. */
  readonly more: boolean
  /** Rows inserted, updated or deleted. */
  readonly changes: number
  readonly lastInsertRowid: number | bigint
  /** The duration of the execution, without preparing the statement. */
  readonly millis: number
}

/** An error in a message between threads, which would copy only the text of an Error. */
export interface FailureReport {
  readonly message: string
  /** SQLite's result code, such as `SQLITE_BUSY`; undefined if the error is not SQLite's. */
  readonly code: string | undefined
  /** Whether a transaction is still open: some errors end it. */
  readonly inTransaction: boolean
}

export type Answer = Done | { readonly failure: FailureReport }

export type DriverName = 'better-sqlite3' | 'node:sqlite'
export type Role = 'reader' | 'writer'
export type Synchronous = 'normal' | 'full' | 'extra'

/** The settings of a connection. */
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

/** The settings and the shared memory of a thread. */
export interface ThreadData extends ConnectionSpec {
  /** The number of finished questions, answered or not yet answered; one 32-bit integer that overflows. */
  readonly progress: Int32Array
}

/** The first message of a thread. */
export type Greeting =
  | { readonly opened: true; readonly driver: DriverName; readonly warning: string | undefined }
  | { readonly opened: false; readonly failure: FailureReport }
