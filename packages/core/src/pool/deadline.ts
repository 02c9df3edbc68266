import { systemClock } from '../clock.ts'
import { InvalidOptionError } from '../invalid-option-error.ts'
import { PoolguardError } from '../poolguard-error.ts'
import { processWideStorage } from '../process-wide.ts'

/** The time of {@link runWithDeadline} has passed: its statements were cancelled, and the pool lends no connection to its callers. */
export class DeadlineExceededError extends PoolguardError {
  static {
    DeadlineExceededError.prototype.name = 'DeadlineExceededError'
  }

  readonly code = 'POOLGUARD_DEADLINE'
  readonly limitMillis: number

  constructor(limitMillis: number) {
    super(
      `The deadline of ${Math.round(limitMillis)} ms has passed. The running statement was cancelled, and an open transaction is rolled back. ` +
        'Allow more time in runWithDeadline, or make the statements faster.',
    )
    this.limitMillis = limitMillis
  }
}

/** When the work of a caller ends. */
export interface Deadline {
  readonly signal: AbortSignal
  /** By the system clock; Infinity if only the signal ends the work. */
  readonly expiresAt: number
}

const deadlines = processWideStorage<Deadline>('poolguard.deadlines.1')

/**
 * Runs a callback under a deadline, for all drivers and ORMs: when the time has passed or the signal is aborted, callers that wait for a
 * connection leave the queue, running statements are cancelled on the server, and open transactions are rolled back before their
 * connections are used again. An outer deadline also applies. It costs nothing from Node 24 on; before, every await of the process takes
 * 2.4 times as long.
 *
 * @param limit milliseconds, or a signal. `Infinity` runs the callback without any deadline, even inside of another one.
 * @throws {InvalidOptionError} for a negative number and for anything else.
 * @example
 * const orders = await runWithDeadline(500, () => pool.query('select id from orders'))
 */
export function runWithDeadline<T>(limit: number | AbortSignal, callback: () => T): T {
  if (limit === Infinity) return leaveDeadline(callback)
  const outer = deadlines.existing?.getStore()
  if (limit instanceof AbortSignal) {
    const signal = outer ? AbortSignal.any([outer.signal, limit]) : limit
    return deadlines.value.run({ signal, expiresAt: outer?.expiresAt ?? Infinity }, callback)
  }
  if (typeof limit !== 'number' || !(limit >= 0))
    throw new InvalidOptionError('limit', limit, 'milliseconds, at least 0, or an AbortSignal')
  const timeout = new AbortController()
  const cancel = systemClock.after(limit, () => timeout.abort(new DeadlineExceededError(limit)), { background: true })
  const signal = outer ? AbortSignal.any([outer.signal, timeout.signal]) : timeout.signal
  const expiresAt = Math.min(systemClock.now() + limit, outer?.expiresAt ?? Infinity)
  const result = deadlines.value.run({ signal, expiresAt }, callback)
  // Only of a real promise: calling `then` of a query builder would run the query.
  if (result instanceof Promise) result.then(cancel, cancel)
  return result
}

/** Runs a callback under no deadline. */
export function leaveDeadline<T>(callback: () => T): T {
  return deadlines.existing ? deadlines.existing.exit(callback) : callback()
}

/** The deadline of the current call. */
export function currentDeadline(): Deadline | undefined {
  return deadlines.existing?.getStore()
}

/** The signal that ends the current call's work: the caller's own, that of its deadline, or both; undefined if there is none. */
export function effectiveSignal(own?: AbortSignal | undefined): AbortSignal | undefined {
  const signal = currentDeadline()?.signal
  if (!own || !signal) return own ?? signal
  return AbortSignal.any([own, signal])
}

/** The remaining time of a deadline, in milliseconds. */
export function remainingMillis({ expiresAt }: Deadline): number {
  return expiresAt === Infinity ? Infinity : expiresAt - systemClock.now()
}
