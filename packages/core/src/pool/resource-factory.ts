/** What {@link ResourceFactory.open} is told. */
export interface OpenContext {
  /** Aborted when the pool gives up waiting: stop connecting, and reject. */
  readonly signal: AbortSignal
  /**
   * Call it when the connection is lost, at whatever moment after it was opened; calling it again does nothing.
   *
   * @param error why, where that is known: what the server said before it closed the connection, or the socket's error.
   */
  lost(error?: unknown): void
}

/** A number that changes whenever something moves: bytes, or messages where bytes cannot be counted. */
export type LeaseActivity = number

/** A query that the server is at. */
export interface RunningQuery {
  /** The same for as long as it is the same query. */
  readonly key: unknown
  /** Its text for a log line, without the values that stand in it; null where it is not known. */
  describe(): string | null
}

/** How a pool opens, validates, resets and closes what it lends. */
export interface ResourceFactory<R> {
  open(context: OpenContext): Promise<R>
  /** Resolves when the server has let go of it: only then is its slot free. May be called for a lost connection. */
  close(resource: R): Promise<void>
  /** Whether it still answers. Asked before lending one that has been idle for `validateAfterIdleMillis`. */
  validate?(resource: R): Promise<boolean>
  /** What has been done on it so far; asked of leased ones now and then. Without it every lease counts as quiet. */
  activity?(resource: R): LeaseActivity
  /**
   * The query whose answer is awaited; undefined where nothing runs, and where the server waits for the borrower, as with an
   * open cursor. Asked of leased ones now and then.
   */
  runningQuery?(resource: R): RunningQuery | undefined
  /** Its borrower waits for notifications, so that it is quiet by nature. */
  isListening?(resource: R): boolean
  /** Called when a resource becomes idle, and when it stops being idle. */
  readonly setIdle?: ((resource: R, idle: boolean) => void) | undefined
  /**
   * Resets a released resource for the next borrower. Returns false where that is impossible; returns at once, without a
   * promise, where there is nothing to do.
   */
  reset?(resource: R): boolean | Promise<boolean>
}
