/** What password functions have thrown: their errors look like those of connecting, but say nothing of the server. */
const thrown = new WeakSet<object>()

/**
 * A password function whose errors are recognised later as its own.
 *
 * @param resolved told of each password.
 */
export function watchPasswordFunction<A extends unknown[]>(
  password: (...args: A) => unknown,
  resolved?: (password: unknown) => void,
): (...args: A) => Promise<unknown> {
  return async (...args) => {
    try {
      const found = await password(...args)
      resolved?.(found)
      return found
    } catch (reason) {
      const error = typeof reason === 'object' && reason !== null ? reason : new Error(String(reason))
      thrown.add(error)
      throw error
    }
  }
}

/** Whether an error comes from a password function that is watched. */
export function isPasswordFunctionError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && thrown.has(error)
}
