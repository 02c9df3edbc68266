/**
 * The base class of every error that poolguard throws. The message is written for people and says what to do; it never contains
 * a password.
 *
 * Each class sets `name` on its prototype, because minifying bundlers rename classes.
 */
export abstract class PoolguardError extends Error {
  static {
    PoolguardError.prototype.name = 'PoolguardError'
  }

  /**
   * Stable, for programs: `POOLGUARD_ACQUIRE_TIMEOUT` and similar. A `ConnectError` has the driver's or the server's
   * code instead, such as `3D000` or `ECONNREFUSED`.
   */
  abstract readonly code: string
}
