/** Errors thrown by password functions. They look like connection errors, but prove nothing about the server. */
const thrown = new WeakSet<object>()

/**
 * Wraps a password function, so that `isPasswordFunctionError` recognizes its errors.
 *
 * @param onPassword called with each password that the function returns.
 */
export function watchPasswordFunction<A extends unknown[]>(
  password: (...args: A) => unknown,
  onPassword?: (password: unknown) => void,
): (...args: A) => Promise<unknown> {
  return async (...args) => {
    try {
      const value = await password(...args)
      onPassword?.(value)
      return value
    } catch (reason) {
      const error = typeof reason === 'object' && reason !== null ? reason : new Error(String(reason))
      thrown.add(error)
      throw error
    }
  }
}

/** Whether an error was thrown by a wrapped password function. */
export function isPasswordFunctionError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && thrown.has(error)
}
