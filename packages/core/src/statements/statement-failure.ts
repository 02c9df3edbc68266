import { readError } from '../postgres-errors/index.ts'

/**
 * What an error says of a statement that was sent by a name, when nothing of it had been executed.
 *
 * - `stale`: the server knows it, but a table has changed, and with it the columns of the result.
 * - `lost`: the server does not know the name, or knows another statement by it: something between here and there does not
 *   keep names as it was measured to.
 * - `suspect`: it may be the caller's fault, or that the types of the parameters were settled when it was parsed, and are
 *   others now. Whether it comes without a name, too, tells.
 */
export type StatementFailure = 'stale' | 'lost' | 'suspect'

/** The fields of a server's error that are read, as pg and postgres.js name them. */
interface ServerError {
  readonly code?: unknown
  readonly routine?: unknown
}

/** Data exceptions, errors of syntax and access, internal errors (as of an enum that was dropped). */
const SUSPECT_CLASSES: readonly unknown[] = ['22', '42', 'XX']

/**
 * Undefined where the error has nothing to do with the name.
 *
 * `0A000` means many things: `cached plan must not change result type` may be in any language, and is known by the
 * function that raises it (src/backend/utils/cache/plancache.c). PgBouncer says 08P01 where it does not know a name, or
 * knows it already (src/prepare.c); so does PostgreSQL of a wrong number of parameters, which is the caller's fault.
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
