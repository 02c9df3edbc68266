const failures = new WeakSet<object>()

/**
 * Thrown by a factory's `open` where the app's own code has failed on a connection that was opened. The caller that waits
 * longest gets the error as it is, as from the driver's own pool.
 */
export class HookFailure {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
    if (typeof error === 'object' && error !== null) failures.add(error)
  }
}

/** Whether an error was thrown by the app's own code while a connection was opened. */
export function isOfHook(error: unknown): boolean {
  return typeof error === 'object' && error !== null && failures.has(error)
}
