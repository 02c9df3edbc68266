import type { Rows, SqliteValue } from '../protocol.ts'

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
