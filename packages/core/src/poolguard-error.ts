/**
 * The base of every error that poolguard itself raises. `code` is stable and meant for programs; the message is meant
 * for people and ends with what to do. No message ever holds a password.
 */
export abstract class PoolguardError extends Error {
  /** A stable name for this kind of error, such as `POOLGUARD_ACQUIRE_TIMEOUT`. */
  abstract readonly code: `POOLGUARD_${string}`

  override get name(): string {
    return this.constructor.name
  }
}
