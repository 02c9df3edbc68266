import type { Done, Rows, SqliteValue } from '../protocol.ts'

/** What a statement has given. */
export interface SqliteResult<Row = SqliteRow> {
  readonly rows: Row[]
  readonly columns: readonly string[]
  /** Rows inserted, updated or deleted. */
  readonly changes: number
  /** Of the row inserted last on the connection; 0 for reads. */
  readonly lastInsertRowid: number | bigint
}

export interface QueryOptions {
  /** Rows as objects, or as lists in the order of the columns, of which there may be several of one name. Default: `object`. */
  readonly rowMode?: 'object' | 'array' | undefined
}

export function readResult(done: Done, { rowMode }: QueryOptions = {}): SqliteResult<SqliteRow | SqliteValue[]> {
  const { columns, changes, lastInsertRowid } = done
  return { rows: rowMode === 'array' ? readRowLists(done) : readRows(done), columns, changes, lastInsertRowid }
}

/** A row by the names of its columns; of two of one name the last. */
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

/** Bytes come over as plain ones, and are given as a Buffer, which is more to Node's users. */
function readValue(value: SqliteValue): SqliteValue {
  if (typeof value !== 'object' || value === null) return value
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

function set(row: SqliteRow, column: string, value: SqliteValue): void {
  // Setting this one sets something else.
  if (column === '__proto__') Object.defineProperty(row, column, { value, ...PLAIN })
  else row[column] = value
}

const PLAIN = { configurable: true, enumerable: true, writable: true }
