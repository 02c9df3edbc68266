import type { SqliteConnection } from '../connection/sqlite-connection.ts'
import type { SqliteParameters, Within } from '../protocol.ts'
import { readRows, type SqliteRow } from './query-result.ts'

let cursors = 0

/** Reads rows batch by batch: the next one is asked for when the last one is used up. */
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
    // Whoever has lost the connection knows of it already.
    if (answer.more) await connection.ask(['close cursor', cursor]).catch(() => {})
  }
}
