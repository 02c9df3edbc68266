import type { DriverName, SqliteParameters, SqliteValue } from '../protocol.ts'

/** The driver interface of a connection's thread. Integers are bigints and rows are arrays, so that no value is lost. */
export interface SqliteDriver {
  readonly name: DriverName
  open(path: string, options: OpenOptions): SqliteDatabase
  /** The name of SQLite's result code in a driver's error; undefined if the error is not SQLite's. */
  codeOf(error: unknown): string | undefined
}

export interface OpenOptions {
  readonly readOnly: boolean
  /** How long opening waits for a lock. */
  readonly busyTimeoutMillis: number
}

export interface SqliteDatabase {
  readonly inTransaction: boolean
  /** Prepares one statement; throws for a text with several. */
  prepare(sql: string): SqliteStatement
  /** Runs any number of statements. */
  run(script: string): void
  /** Allows or forbids writes during an iteration. */
  whileIterating?(on: boolean): void
  close(): void
}

export interface SqliteStatement {
  /** Empty if the statement returns no rows. */
  columns(): string[]
  all(parameters: SqliteParameters): SqliteValue[][]
  iterate(parameters: SqliteParameters): IterableIterator<SqliteValue[]>
  /** Runs a statement that returns no rows. */
  run(parameters: SqliteParameters): void
}

/** Binds whole numbers as INTEGER: drivers bind every number as REAL, which changes the result of `5 / ?`. */
export function bindable(parameters: SqliteParameters): unknown[] {
  if (isList(parameters)) return parameters.map(bindableValue)
  const named = Object.entries(parameters).map(([name, value]) => [name, bindableValue(value)])
  return [Object.fromEntries(named)]
}

function bindableValue(value: SqliteValue): SqliteValue {
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
}

function isList(parameters: SqliteParameters): parameters is readonly SqliteValue[] {
  return Array.isArray(parameters)
}
