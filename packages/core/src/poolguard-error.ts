/**
 * The base of every error that poolguard itself raises. The message is meant for people and ends with what to do; it never holds
 * a password.
 *
 * Each class sets `name` on its prototype: bundlers that minify rename the classes.
 */
export abstract class PoolguardError extends Error {
  static {
    PoolguardError.prototype.name = 'PoolguardError'
  }

  /**
   * Stable, for programs: `POOLGUARD_ACQUIRE_TIMEOUT` and its like. A `ConnectError` has the driver's or the server's
   * own instead, such as `3D000` or `ECONNREFUSED`.
   */
  abstract readonly code: string
}
