import { unwatchedQuery } from '../queries/watch-queries.ts'
import type { WireClient } from '../wire-client.ts'

/** A value as the server writes it, whatever type it says and whatever parsers the app has set. */
const AS_TEXT = { getTypeParser: () => String }

/**
 * Runs a text of our own, of one statement or several.
 *
 * @returns the first value of the last statement's first row; undefined where that has no row.
 */
export async function askText(client: WireClient, text: string): Promise<string | null | undefined> {
  const query = { text, rowMode: 'array' as const, types: AS_TEXT }
  // A text of several statements answers with an array.
  const results = [await unwatchedQuery(client)<[string | null]>(query)].flat()
  return results.at(-1)?.rows[0]?.[0]
}
