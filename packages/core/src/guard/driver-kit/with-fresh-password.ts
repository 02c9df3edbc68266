import { isPasswordFunctionError, isWrongPassword } from '../../postgres-errors/index.ts'

/**
 * Connects with a password function. If the function throws, or the server rejects its password (such as a token that has just
 * expired), calls it once more immediately. After that the pool backs off between attempts.
 */
export async function withFreshPassword<T>(connect: () => Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await connect()
  } catch (error) {
    if (signal.aborted || !(isPasswordFunctionError(error) || isWrongPassword(error))) throw error
    return await connect()
  }
}
