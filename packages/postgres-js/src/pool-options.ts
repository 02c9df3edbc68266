import { InvalidOptionError, type PoolSettings } from '@poolguard/core'
import { definedOnly } from '@poolguard/core/adapter'
import type { GuardedOptions } from './guarded-options.ts'

/**
 * The names of postgres.js for what poolguard calls otherwise, from the options or, as there, from the environment.
 *
 * @throws {InvalidOptionError} names the option and the value.
 */
export function settingsFromOptions(options: GuardedOptions): Partial<PoolSettings> {
  const { PGMAX, PGIDLE_TIMEOUT, PGCONNECT_TIMEOUT, PGMAX_LIFETIME } = process.env
  const idle = options.idle_timeout === undefined ? options.timeout : options.idle_timeout
  const connect = readSeconds('connect_timeout', options.connect_timeout, PGCONNECT_TIMEOUT)
  return definedOnly({
    max: readMax(options.max, PGMAX),
    idleTimeoutMillis: readSeconds('idle_timeout', idle, PGIDLE_TIMEOUT),
    // An attempt without end would also mean to wait without end for a dead connection to answer or to close.
    connectTimeoutMillis: connect === Infinity ? undefined : connect,
    maxLifetimeMillis: readSeconds('max_lifetime', options.max_lifetime, PGMAX_LIFETIME),
  })
}

function readMax(given: unknown, fromEnvironment: string | undefined): number | undefined {
  const max = given ?? (fromEnvironment ? Number(fromEnvironment) : undefined)
  if (max === undefined || (Number.isSafeInteger(max) && (max as number) >= 1)) return max as number | undefined
  throw new InvalidOptionError(
    given === undefined ? 'PGMAX' : 'max',
    given ?? fromEnvironment,
    'a whole number of at least 1',
  )
}

/** In milliseconds. In postgres.js 0, null and false are without end. */
function readSeconds(option: string, given: unknown, fromEnvironment: string | undefined): number | undefined {
  if (given === undefined && !fromEnvironment) return undefined
  const seconds = given === undefined ? Number(fromEnvironment) : given || 0
  if (seconds === 0) return Infinity
  if (typeof seconds === 'number' && seconds > 0) return seconds * 1_000
  throw new InvalidOptionError(
    given === undefined ? `PG${option.toUpperCase()}` : option,
    given ?? fromEnvironment,
    'a number of seconds',
  )
}
