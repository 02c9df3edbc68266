import type { SqliteConnection } from '../connection/sqlite-connection.ts'
import type { SqliteParameters, Within } from '../protocol.ts'
import { readRows, type SqliteRow } from './query-result.ts'

let cursors = 0

/** Reads rows in batches, each requested when the previous one is consumed. */
export async function* iterateRows(
  connection: SqliteConnection,
  within: Within,
  sql: string,
  parameters: SqliteParameters,
): AsyncGenerator<SqliteRow, void, undefined> {
  const cursor = ++cursors
  let answer = await connection.ask(['open cursor', within, sql, parameters, cursor])
  try {
    yield* readRows(answer)
    while (answer.more) {
      answer = await connection.ask(['next', cursor])
      yield* readRows(answer)
    }
  } finally {
    // If the connection was lost, the caller already has that error.
    if (answer.more) await connection.ask(['close cursor', cursor]).catch(() => {})
  }
}
