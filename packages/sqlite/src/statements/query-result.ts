import type { Done, SqliteValue } from '../protocol.ts'
import { readRowLists, readRows, type SqliteRow } from './rows.ts'

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
