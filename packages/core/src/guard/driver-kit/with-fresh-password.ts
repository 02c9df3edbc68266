import { isPasswordFunctionError, isWrongPassword } from '../../postgres-errors/index.ts'

/**
 * Connects with a password function: where it throws, or gives a password that is not let in (a token that has just
 * expired), it is asked once more at once. After that the pool's pauses between attempts hold.
 */
export async function withFreshPassword<T>(connect: () => Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await connect()
  } catch (error) {
    if (signal.aborted || !(isPasswordFunctionError(error) || isWrongPassword(error))) throw error
    return await connect()
  }
}
