import { PoolguardError } from '../poolguard-error.ts'
import { describeState, type PoolState } from './errors.ts'

/**
 * Why an overloaded pool has rejected a caller: it had waited for as long as callers may wait during an overload, or less time was left
 * before its deadline than two checkouts usually take.
 */
export type OverloadReason = 'waited-too-long' | 'deadline-too-near'

/** The figures of a {@link PoolOverloadedError}. */
export interface Overload {
  readonly reason: OverloadReason
  readonly waitedMillis: number
  /** How long a checkout usually takes. */
  readonly serviceMillis: number
  readonly retryAfterMillis: number
  readonly pool: PoolState
}

/**
 * More callers arrive than the connections can serve, and the pool sheds load (`overload: 'shed'`): it rejected this caller without
 * a connection, to serve others in time. Respond with 503, and with `retryAfterMillis` as the header Retry-After.
 */
export class PoolOverloadedError extends PoolguardError {
  static {
    PoolOverloadedError.prototype.name = 'PoolOverloadedError'
  }

  readonly code = 'POOLGUARD_OVERLOADED'
  readonly reason: OverloadReason
  readonly waitedMillis: number
  /** How long to wait before trying again, in milliseconds. It has a random part, so that rejected callers do not return together. */
  readonly retryAfterMillis: number
  /** The pool's state; `oldestLeases` is empty. */
  readonly pool: PoolState

  constructor({ reason, waitedMillis, serviceMillis, retryAfterMillis, pool }: Overload) {
    super(
      `Pool "${pool.name}" is overloaded and rejected this caller after ${round(waitedMillis)} ms, because ${describeReason(reason, serviceMillis)}: ` +
        `${describeState(pool)}. Answer 503 and try again in ${round(retryAfterMillis)} ms; if this lasts, make the statements faster or reduce the load.`,
    )
    this.reason = reason
    this.waitedMillis = waitedMillis
    this.retryAfterMillis = retryAfterMillis
    this.pool = pool
  }
}

function describeReason(reason: OverloadReason, serviceMillis: number): string {
  return reason === 'waited-too-long'
    ? 'callers arrive faster than the connections can serve them'
    : `too little time is left before its deadline: a checkout usually takes ${round(serviceMillis)} ms`
}

/** Short durations keep one decimal place. */
function round(millis: number): number {
  return millis < 10 ? Math.round(millis * 10) / 10 : Math.round(millis)
}
