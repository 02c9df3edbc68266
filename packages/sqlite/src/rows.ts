import type { Rows, SqliteValue } from './protocol.ts'

/** A row by the names of its columns; of two of one name the last. */
export type SqliteRow = Record<string, SqliteValue>

/** Bytes come over as plain ones, and are given as a Buffer, which is more to Node's users. */
export function readRowLists([, values]: Rows): SqliteValue[][] {
  for (const row of values) {
    for (let i = 0; i < row.length; i++) row[i] = readValue(row[i] as SqliteValue)
  }
  return values
}

export function readRows([columns, values]: Rows): SqliteRow[] {
  return values.map((list) => {
    const row: SqliteRow = {}
    for (let i = 0; i < columns.length; i++) row[columns[i] as string] = readValue(list[i] as SqliteValue)
    return row
  })
}

function readValue(value: SqliteValue): SqliteValue {
  if (typeof value !== 'object' || value === null) return value
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}
