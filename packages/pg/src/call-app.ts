/** Calls code of the app. If it throws, the pool goes on and the error becomes an uncaught exception, as with pg-pool. */
export function callApp(call: () => void): void {
  try {
    call()
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}

type Done = (error?: Error | null) => void

/**
 * Calls a client's method with a callback, as pg-pool does, because the app's own `Client` class may accept nothing else. Also waits
 * for a promise if the method returns one.
 */
export function callBack<Name extends 'connect' | 'end'>(
  client: Record<Name, (done?: Done) => unknown>,
  method: Name,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const returned = client[method]((error) => (error ? reject(error) : resolve()))
    if (isPromise(returned)) returned.then(() => resolve(), reject)
  })
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}
