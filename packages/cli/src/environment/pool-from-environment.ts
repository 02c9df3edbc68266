import { InvalidOptionError } from '@poolguard/core'
import type { EnvironmentWarning } from './warning.ts'

/** Environment variables, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Pool settings from environment variables. */
export interface EnvironmentPool {
  readonly max?: number
  readonly min?: number
  readonly idleTimeoutMillis?: number
}

/** Pool settings, and the variable behind each. */
export interface EnvironmentPoolReading {
  readonly pool: EnvironmentPool
  readonly sources: Readonly<Record<string, string>>
  readonly warnings: readonly EnvironmentWarning[]
}

/**
 * Reads `DB_POOL_MAX` (else `DB_MAX_CONNECTIONS`), `DB_POOL_MIN` and `DB_POOL_IDLE_TIMEOUT` (milliseconds; 0 means never,
 * as in pg).
 *
 * @throws {InvalidOptionError} names the variable and the value.
 */
export function poolFromEnvironment(env: Environment): EnvironmentPoolReading {
  const poolMax = readWhole(env, 'DB_POOL_MAX', 1, 'connections')
  const maxConnections = readWhole(env, 'DB_MAX_CONNECTIONS', 1, 'connections')
  const max = poolMax ?? maxConnections
  const min = readWhole(env, 'DB_POOL_MIN', 0, 'connections')
  const idle = readWhole(env, 'DB_POOL_IDLE_TIMEOUT', 0, 'milliseconds')
  if (min !== undefined && max !== undefined && min > max) {
    throw new InvalidOptionError(
      'DB_POOL_MIN',
      min,
      `at most ${max}, the value of ${poolMax === undefined ? 'DB_MAX_CONNECTIONS' : 'DB_POOL_MAX'}`,
    )
  }
  const warnings: EnvironmentWarning[] = []
  if (poolMax !== undefined && maxConnections !== undefined && poolMax !== maxConnections) {
    warnings.push({
      code: 'conflicting-variables',
      parameter: 'DB_MAX_CONNECTIONS',
      why: `it is ${maxConnections}, but DB_POOL_MAX is ${poolMax}`,
      instead: 'DB_POOL_MAX is used; set only one of them',
    })
  }
  if (idle !== undefined && idle > 0 && idle < 1000) {
    warnings.push({
      code: 'looks-like-seconds',
      parameter: 'DB_POOL_IDLE_TIMEOUT',
      why: `it is in milliseconds: ${idle} ms close a connection almost immediately after its release`,
      instead: `set ${idle * 1000} if you meant seconds`,
    })
  }
  return {
    pool: {
      ...(max !== undefined && { max }),
      ...(min !== undefined && { min }),
      ...(idle !== undefined && { idleTimeoutMillis: idle === 0 ? Infinity : idle }),
    },
    sources: {
      ...(max !== undefined && { max: poolMax === undefined ? 'DB_MAX_CONNECTIONS' : 'DB_POOL_MAX' }),
      ...(min !== undefined && { min: 'DB_POOL_MIN' }),
      ...(idle !== undefined && { idleTimeoutMillis: 'DB_POOL_IDLE_TIMEOUT' }),
    },
    warnings,
  }
}

function readWhole(env: Environment, name: string, min: number, of: string): number | undefined {
  const text = env[name]?.trim() || undefined
  if (text === undefined) return undefined
  const number = /^\d{1,12}$/.test(text) ? Number(text) : -1
  if (number >= min) return number
  throw new InvalidOptionError(name, text, `a whole number of ${of}, at least ${min}`)
}
