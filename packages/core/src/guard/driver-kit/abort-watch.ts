/** Cancels a caller's running statement as soon as the caller's signal is aborted, while the caller holds the connection. */
export class AbortWatch {
  readonly #signal: AbortSignal
  readonly #cancel: () => Promise<boolean>
  #cancelling: Promise<boolean> | undefined

  /** @param cancel cancels the running statement; resolves to false if the connection must not be used again. It never rejects. */
  constructor(signal: AbortSignal, cancel: () => Promise<boolean>) {
    this.#signal = signal
    this.#cancel = cancel
    signal.addEventListener('abort', this.#onAbort, { once: true })
    if (signal.aborted) this.#onAbort()
  }

  get aborted(): boolean {
    return this.#signal.aborted
  }

  get reason(): unknown {
    return this.#signal.reason
  }

  /** Call it when the caller releases the connection. Returns the cancellation that must end before the next caller gets it. */
  end(): Promise<boolean> | undefined {
    this.#signal.removeEventListener('abort', this.#onAbort)
    return this.#cancelling
  }

  readonly #onAbort = (): void => {
    this.#cancelling ??= this.#cancel()
  }
}

/**
 * The outcome of a promise, or the signal's reason as soon as the signal is aborted. The promise goes on, and its error is ignored
 * then.
 */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
    promise.catch(() => {})
  }
}

/** Whether a statement ends a transaction without effects: it may still be sent after an abort. */
export function isRollback(text: string): boolean {
  return /^\s*rollback\b/i.test(text)
}
