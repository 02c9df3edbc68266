/** What {@link ResourceFactory.open} is told. */
export interface OpenContext {
  /** Aborted when the pool gives up waiting: stop connecting, and reject. */
  readonly signal: AbortSignal
  /** Call it when the connection is lost, at whatever moment after it was opened; calling it again does nothing. */
  lost(): void
}

/** A number that changes whenever something is done, or `busy` while something is under way. */
export type Activity = number | 'busy'

/** How a pool makes, checks and unmakes what it lends. */
export interface ResourceFactory<R> {
  open(context: OpenContext): Promise<R>
  /** Resolves when the server has let go of it: only then is its slot free. May be called for a lost connection. */
  close(resource: R): Promise<void>
  /** Whether it still answers. Asked before lending one that has been idle for `validateAfterIdleMillis`. */
  check?(resource: R): Promise<boolean>
  /** What has been done on it so far; asked of leased ones now and then. Without it every lease counts as quiet. */
  activity?(resource: R): Activity
  /** It is idle from now on, or no longer. */
  readonly rest?: ((resource: R, resting: boolean) => void) | undefined
  /** Makes a released one fit for the next borrower; false where it cannot be. Answer at once where nothing is to do. */
  clean?(resource: R): boolean | Promise<boolean>
}
