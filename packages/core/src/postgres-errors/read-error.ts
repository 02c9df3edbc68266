/** Messages from elsewhere are cut to this length before a pattern is applied, so that no message can block the event loop. */
export const MAX_MESSAGE_LENGTH = 4_096

/** What every error of a driver, a server or Node says of itself; an empty text where it does not. */
export interface ErrorFacts {
  readonly code: string
  readonly message: string
}

/** Reads the code and the message of whatever was thrown. Of several addresses' errors the first one counts. */
export function readError(error: unknown): ErrorFacts {
  if (error instanceof AggregateError && error.errors.length > 0) return readError(error.errors[0])
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  const text = typeof message === 'string' ? message : typeof error === 'object' ? '' : String(error)
  return { code: typeof code === 'string' ? code : '', message: text.slice(0, MAX_MESSAGE_LENGTH) }
}

/** Whether the server ends the session with it. */
export function isFatal(error: unknown): boolean {
  const { severity, severity_local: local } = (error ?? {}) as { severity?: unknown; severity_local?: unknown }
  return [severity, local].some((level) => level === 'FATAL' || level === 'PANIC')
}

/** Whether the other end said it itself, so that it was reached. PgBouncer before 1.26 gives the severity only once. */
export function isServerError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && ('severity' in error || 'severity_local' in error)
}
