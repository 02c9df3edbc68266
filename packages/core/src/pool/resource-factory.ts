/** The argument of {@link ResourceFactory.open}. */
export interface OpenContext {
  /** Aborted when the attempt times out or the pool shuts down: stop connecting, and reject. */
  readonly signal: AbortSignal
  /**
   * Call it when the connection is lost, at any time after it was opened; further calls do nothing.
   *
   * @param error the reason, if known: the server's last message, or the socket's error.
   */
  lost(error?: unknown): void
}

/** A number that changes with every activity: transferred bytes, or messages if bytes cannot be counted. */
export type LeaseActivity = number

/** A query that the server is executing. */
export interface RunningQuery {
  /** Identifies the query: the same key means the same query. */
  readonly key: unknown
  /** Its text for a log line, without literal values; null if unknown. */
  describe(): string | null
}

/** How a pool opens, validates, resets and closes its resources. */
export interface ResourceFactory<R> {
  open(context: OpenContext): Promise<R>
  /** Resolves when the server has closed the connection: only then its slot is free. May be called for a lost connection. */
  close(resource: R): Promise<void>
  /** Whether the connection still answers. Called before lending one that was idle for longer than `validateAfterIdleMillis`. */
  validate?(resource: R): Promise<boolean>
  /** The activity so far; called for leased resources at intervals. Without it every lease counts as quiet. */
  activity?(resource: R): LeaseActivity
  /**
   * The running query; undefined if none is running, or if the server waits for the caller, as with an open cursor. Called for
   * leased resources at intervals.
   */
  runningQuery?(resource: R): RunningQuery | undefined
  /** True if the caller waits for notifications, so that a quiet lease is no leak. */
  isListening?(resource: R): boolean
  /** Called when a resource becomes idle, and when it stops being idle. */
  readonly setIdle?: ((resource: R, idle: boolean) => void) | undefined
  /**
   * Resets a released resource for the next caller. Returns false if that is impossible. Returns synchronously if there is
   * nothing to do.
   */
  reset?(resource: R): boolean | Promise<boolean>
}
