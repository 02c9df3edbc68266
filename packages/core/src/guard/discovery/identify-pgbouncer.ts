import { systemClock } from '../../clock.ts'
import type { GuardedDriver } from '../guarded-driver.ts'

/** PostgreSQL and other poolers do not know this parameter either, but only PgBouncer rejects it with its own text. */
const UNKNOWN_PARAMETER = 'poolguard_probe'
const PGBOUNCERS_ANSWER = /^unsupported startup parameter: /
const PATIENCE_MILLIS = 2_000

/**
 * Whether the pooler is a PgBouncer, of any version: 1.26 and later say so at login, and older ones show it by their answer to an unknown
 * startup parameter. Costs one rejected login. False if the driver cannot ask or the pooler does not answer.
 */
export async function isPgBouncer(driver: Pick<GuardedDriver<never>, 'answerToParameter'>): Promise<boolean> {
  const signal = new AbortController()
  const cancel = systemClock.after(PATIENCE_MILLIS, () => signal.abort(), { background: true })
  try {
    const answer = await driver.answerToParameter?.(UNKNOWN_PARAMETER, signal.signal)
    return answer !== undefined && PGBOUNCERS_ANSWER.test(answer)
  } catch {
    return false
  } finally {
    cancel()
  }
}
