/**
 * What an error says of a statement that was given a name.
 *
 * - `stale`: the server knows it, but a table has changed, and with it the columns of the result.
 * - `lost`: the server does not know the name, or knows another statement by it: something between here and there does not
 *   keep names as it was measured to.
 */
export type StatementFailure = 'stale' | 'lost'

/** The fields of a server's error that are read, as pg and postgres.js name them. */
interface ServerError {
  readonly code?: unknown
  readonly routine?: unknown
  readonly message?: unknown
}

/**
 * Undefined where the error has nothing to do with the name.
 *
 * `0A000` means many things: `cached plan must not change result type` may be in any language, and is known by the
 * function that raises it (src/backend/utils/cache/plancache.c). PgBouncer says 08P01 where it does not know a name.
 */
export function classifyStatementFailure(error: unknown): StatementFailure | undefined {
  const { code, routine, message } = (error ?? {}) as ServerError
  if (code === '0A000') return routine === 'RevalidateCachedQuery' ? 'stale' : undefined
  if (code === '26000' || code === '42P05') return 'lost'
  return code === '08P01' && /prepared statement/i.test(String(message)) ? 'lost' : undefined
}
