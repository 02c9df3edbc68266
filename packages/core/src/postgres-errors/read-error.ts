/** Messages are truncated to this length before a pattern is applied, so that no message can block the event loop. */
export const MAX_MESSAGE_LENGTH = 4_096

/** The code and the message of an error of a driver, a server or Node; empty if the error has none. */
export interface ErrorFacts {
  readonly code: string
  readonly message: string
}

/** Reads the code and the message of any thrown value. Of an AggregateError for several addresses, the first error counts. */
export function readError(error: unknown): ErrorFacts {
  if (error instanceof AggregateError && error.errors.length > 0) return readError(error.errors[0])
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  const text = typeof message === 'string' ? message : typeof error === 'object' ? '' : String(error)
  return { code: typeof code === 'string' ? code : '', message: text.slice(0, MAX_MESSAGE_LENGTH) }
}

/** Whether the server terminates the session with this error. */
export function isFatal(error: unknown): boolean {
  const { severity, severity_local: local } = (error ?? {}) as { severity?: unknown; severity_local?: unknown }
  return [severity, local].some((level) => level === 'FATAL' || level === 'PANIC')
}

/** Whether a server or pooler sent the error, so that it was reached. PgBouncer before 1.26 sends only one severity field. */
export function isServerError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && ('severity' in error || 'severity_local' in error)
}
