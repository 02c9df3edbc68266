/** Errors of the app's password and credentials functions. They look like connection errors, but prove nothing about the server. */
const thrown = new WeakSet<object>()

/** Marks an error, so that `isPasswordFunctionError` recognizes it. Returns it; a thrown text becomes an error. */
export function markPasswordFunctionError(reason: unknown): object {
  const error = typeof reason === 'object' && reason !== null ? reason : new Error(String(reason))
  thrown.add(error)
  return error
}

/** Whether an error was thrown by a password or credentials function. */
export function isPasswordFunctionError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && thrown.has(error)
}
