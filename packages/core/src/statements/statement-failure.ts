import { readError } from '../postgres-errors/index.ts'

/**
 * The meaning of an error for a named statement of which nothing was executed.
 *
 * - `stale`: the server knows the statement, but a table has changed, and with it the columns of the result.
 * - `lost`: the server does not know the name, or has another statement of that name: a pooler in between does not
 *   keep names as detected.
 * - `suspect`: either the caller's fault, or a parameter type has changed since the statement was parsed. If the statement also
 *   fails without a name, it is the caller's fault.
 */
export type StatementFailure = 'stale' | 'lost' | 'suspect'

/** The fields of a server's error that decide, as pg and postgres.js name them. */
interface ServerError {
  readonly code?: unknown
  readonly routine?: unknown
}

/** Data exceptions, syntax and access errors, internal errors (for example after an enum was dropped). */
const SUSPECT_CLASSES: readonly unknown[] = ['22', '42', 'XX']

/**
 * Classifies an error; undefined if it is unrelated to the name.
 *
 * `0A000` has many meanings: `cached plan must not change result type` may be in any language, and is recognized by the
 * function that raises it (src/backend/utils/cache/plancache.c). PgBouncer sends 08P01 if it does not know a name or
 * has it already (src/prepare.c); PostgreSQL sends it for a wrong number of parameters, which is the caller's fault.
 */
export function classifyStatementFailure(error: unknown): StatementFailure | undefined {
  const { code, routine } = (error ?? {}) as ServerError
  if (code === '0A000') return routine === 'RevalidateCachedQuery' ? 'stale' : undefined
  if (code === '26000' || code === '42P05') return 'lost'
  if (code === '08P01')
    return /prepared statement (?:did not exist|name is already in use)/.test(readError(error).message)
      ? 'lost'
      : undefined
  return typeof code === 'string' && SUSPECT_CLASSES.includes(code.slice(0, 2)) ? 'suspect' : undefined
}
