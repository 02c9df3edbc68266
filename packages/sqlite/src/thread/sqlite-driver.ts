import type { DriverName, SqliteParameters, SqliteValue } from '../protocol.ts'

/** What a connection's thread needs of a driver. Integers come as bigint and rows as lists, so that nothing is lost. */
export interface SqliteDriver {
  readonly name: DriverName
  open(path: string, options: OpenOptions): SqliteDatabase
  /** The name of the result code in an error of the driver's; undefined where that is not SQLite's. */
  codeOf(error: unknown): string | undefined
}

export interface OpenOptions {
  readonly readOnly: boolean
  /** How long opening waits for a lock. */
  readonly busyTimeoutMillis: number
}

export interface SqliteDatabase {
  readonly inTransaction: boolean
  /** One statement; more of them in one text are refused. */
  prepare(sql: string): SqliteStatement
  /** Any number of statements. */
  run(script: string): void
  /** Whether statements may write while another one is being iterated. */
  whileIterating?(on: boolean): void
  close(): void
}

export interface SqliteStatement {
  /** Empty where it gives no rows. */
  columns(): string[]
  all(parameters: SqliteParameters): SqliteValue[][]
  iterate(parameters: SqliteParameters): IterableIterator<SqliteValue[]>
  /** For what gives no rows. */
  run(parameters: SqliteParameters): void
}

/** Whole numbers are bound as such: a driver takes every number for a REAL, so that `5 / ?` would depend on it. */
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
