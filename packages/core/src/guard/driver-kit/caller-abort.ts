import { AbortWatch, isRollback } from './abort-watch.ts'
import { type BusyConnection, cancelAbandoned } from './cancel-and-close.ts'

/** How a driver cancels the statement of a caller. */
export interface CallerAbortHooks {
  /** Sends one cancel request for the running statement; see {@link cancelAbandoned}. */
  readonly cancel: (timeoutMillis: number) => Promise<boolean>
  /** Called when the signal is aborted, before the running statement is cancelled. */
  readonly onAbort?: (reason: unknown) => void
}

/**
 * The abort signal of the caller that holds a connection. When it is aborted, the caller's running statement is cancelled. The next caller
 * gets the connection after the cancellation, which would otherwise cancel the next caller's statement.
 */
export class CallerAbort {
  readonly #connection: BusyConnection
  readonly #hooks: CallerAbortHooks
  /** Set while a caller with a signal holds the connection. */
  #watch: AbortWatch | undefined
  /** The cancellation of an earlier caller's statement; false if the connection must be closed. */
  #cancelling: Promise<boolean> | undefined

  constructor(connection: BusyConnection, hooks: CallerAbortHooks) {
    this.#connection = connection
    this.#hooks = hooks
  }

  /**
   * From now on, cancels the caller's running statement when the signal is aborted.
   *
   * @param onStuck called if the statement cannot be cancelled.
   */
  watch(signal: AbortSignal, onStuck: () => void): void {
    const { onAbort, cancel } = this.#hooks
    this.#watch = new AbortWatch(signal, async () => {
      onAbort?.(signal.reason)
      const isSafe = await cancelAbandoned(this.#connection, cancel)
      if (!isSafe) onStuck()
      return isSafe
    })
  }

  /** The caller has released the connection. */
  end(): void {
    if (!this.#watch) return
    this.#cancelling = this.#watch.end()
    this.#watch = undefined
  }

  get isAborted(): boolean {
    return this.#watch?.aborted === true
  }

  /** The reason of the aborted signal. */
  get reason(): unknown {
    return this.#watch?.reason
  }

  /** Whether a statement that the caller sends now is rejected with the signal's {@link reason}. A ROLLBACK may still be sent. */
  rejects(text: string): boolean {
    return this.isAborted && !isRollback(text)
  }

  /** True if the next caller has to wait for {@link afterCancelling}. */
  get delaysNextCaller(): boolean {
    return this.#cancelling !== undefined
  }

  /** Waits until the cancellation for an earlier caller has ended. Resolves to false if the connection must be closed. */
  async afterCancelling(): Promise<boolean> {
    const isSafe = await this.#cancelling
    this.#cancelling = undefined
    return isSafe !== false
  }
}
