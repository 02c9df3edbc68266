/**
 * What is answered within so many milliseconds.
 *
 * @param late made where it was not: what is thrown then. The answer may still come, and is nobody's.
 */
export async function inTime<T>(answer: Promise<T>, millis: number, late: () => Error): Promise<T> {
  const { promise: over, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(late()), millis)
  try {
    return await Promise.race([answer, over])
  } finally {
    clearTimeout(timer)
  }
}
