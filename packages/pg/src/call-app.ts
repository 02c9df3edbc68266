/** A listener that throws does not stop the pool: its error is uncaught, as from pg-pool. */
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
 * Calls a method of a client as pg-pool does, with a callback: a `Client` class of the app's own may take nothing else. One
 * that returns a promise instead is waited for, too.
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
