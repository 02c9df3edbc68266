import type { Done, Rows, SqliteValue } from '../protocol.ts'

/** The result of a statement. */
export interface SqliteResult<Row = SqliteRow> {
  readonly rows: Row[]
  readonly columns: readonly string[]
  /** Rows inserted, updated or deleted. */
  readonly changes: number
  /** The rowid of the last row inserted on the connection; 0 for reads. */
  readonly lastInsertRowid: number | bigint
}

export interface QueryOptions {
  /** Rows as objects, or as arrays in the order of the columns, which keep columns with equal names. Default: `object`. */
  readonly rowMode?: 'object' | 'array' | undefined
}

export function readResult(done: Done, { rowMode }: QueryOptions = {}): SqliteResult<SqliteRow | SqliteValue[]> {
  const { columns, changes, lastInsertRowid } = done
  return { rows: rowMode === 'array' ? readRowLists(done) : readRows(done), columns, changes, lastInsertRowid }
}

/** A row by column names; of two columns with the same name, the last one. */
export type SqliteRow = Record<string, SqliteValue>

export function readRowLists({ columns, values }: Rows): SqliteValue[][] {
  const rows: SqliteValue[][] = []
  for (let at = 0; at < values.length; at += columns.length) {
    rows.push(values.slice(at, at + columns.length).map(readValue))
  }
  return rows
}

export function readRows({ columns, values }: Rows): SqliteRow[] {
  const rows: SqliteRow[] = []
  for (let at = 0; at < values.length; ) {
    const row: SqliteRow = {}
    for (const column of columns) set(row, column, readValue(values[at++] as SqliteValue))
    rows.push(row)
  }
  return rows
}

/** Converts the Uint8Array of the message to a Buffer, as Node's users expect. */
function readValue(value: SqliteValue): SqliteValue {
  if (typeof value !== 'object' || value === null) return value
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

function set(row: SqliteRow, column: string, value: SqliteValue): void {
  // Assigning to __proto__ would set the prototype.
  if (column === '__proto__') Object.defineProperty(row, column, { value, ...PLAIN })
  else row[column] = value
}

const PLAIN = { configurable: true, enumerable: true, writable: true }
