interface Failure {
  readonly code?: unknown
  readonly originalCode?: unknown
  readonly cause?: unknown
  readonly meta?: { readonly driverAdapterError?: unknown }
}

/**
 * The SQLSTATE of a failed request: pg has it in `code`, Drizzle in its `cause`, Prisma in
 * `meta.driverAdapterError.cause.originalCode`. Without a SQLSTATE, the error's own code or name.
 */
export function sqlstateOf(error: unknown): string {
  return findSqlstate(error, 0) ?? String((error as Failure).code ?? (error as Error).name)
}

function findSqlstate(error: unknown, depth: number): string | undefined {
  if (typeof error !== 'object' || error === null || depth > 5) return undefined
  const { code, originalCode, cause, meta } = error as Failure
  const own = [originalCode, code].find(isSqlstate)
  return own ?? findSqlstate(meta?.driverAdapterError, depth + 1) ?? findSqlstate(cause, depth + 1)
}

/** A SQLSTATE has five characters. So do Prisma's codes (P2037), but no SQLSTATE class begins with P2. */
function isSqlstate(code: unknown): code is string {
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('P2')
}
