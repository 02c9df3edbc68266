import { InvalidOptionError, requireDuration, requireInteger, requireOneOf } from '../invalid-option-error.ts'

/** How a pool behaves. Durations are in milliseconds; `Infinity` means never, or without end. */
export interface PoolSettings {
  /** Most connections open at once, those still closing included. */
  readonly max: number
  /** Connections kept open and warm while nobody asks. */
  readonly min: number
  /** How long a caller waits for a connection. */
  readonly acquireTimeoutMillis: number
  /** How long one attempt to connect may take. Also the bound on a validation, and on waiting for a close. */
  readonly connectTimeoutMillis: number
  /** How long a connection above `min` stays open unused. */
  readonly idleTimeoutMillis: number
  /** Age at which a connection is replaced when nobody uses it. Each gets up to 10 % less, so that they do not all go at once. */
  readonly maxLifetimeMillis: number
  /** Checkouts after which a connection is replaced. */
  readonly maxUses: number
  /** A connection idle for longer is asked whether it still lives before it is lent. */
  readonly validateAfterIdleMillis: number
  /** Callers that may wait when all connections are in use; one more is turned away at once. */
  readonly maxWaiters: number
  /** How long closing waits for connections that are in use. */
  readonly drainMillis: number
  /** A lease on which no byte has moved for so long is reported as a suspected leak. */
  readonly leakThresholdMillis: number
  /** A query that has been running for so long is reported, with its text and its caller. */
  readonly longQueryMillis: number
  /**
   * Whether a lease remembers the stack of its borrower, for reports of leaks and timeouts. Capturing one costs more than
   * the rest of a checkout, so that `adaptive` does it only for ten leak thresholds after each suspicion.
   */
  readonly captureStacks: 'always' | 'adaptive' | 'never'
}

/**
 * Sources: max and min as in pg; timeouts as in Prisma 6; lifetime and validation as in HikariCP; waiters after
 * psycopg_pool; the leak threshold as asked for in brianc/node-postgres#137.
 */
export const DEFAULT_POOL_SETTINGS: PoolSettings = {
  max: 10,
  min: 0,
  acquireTimeoutMillis: 10_000,
  connectTimeoutMillis: 5_000,
  idleTimeoutMillis: 30_000,
  maxLifetimeMillis: 1_800_000,
  maxUses: Infinity,
  validateAfterIdleMillis: 500,
  maxWaiters: 1_000,
  drainMillis: 10_000,
  leakThresholdMillis: 60_000,
  longQueryMillis: 30_000,
  captureStacks: 'adaptive',
}

const COUNTS = { max: 1, min: 0, maxUses: 1, maxWaiters: 0 } as const

/** At 0 these would undo every connection as soon as it is made. */
const MIN_MILLIS = { connectTimeoutMillis: 1, maxLifetimeMillis: 1 } as const

/**
 * Checks the settings that a user gave.
 *
 * @throws {InvalidOptionError} names the setting and the value.
 */
export function validatePoolSettings(given: Partial<PoolSettings>): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (!Object.hasOwn(DEFAULT_POOL_SETTINGS, name)) {
      throw new InvalidOptionError(
        `pool.${name}`,
        value,
        `no value: there is no such setting, only ${Object.keys(DEFAULT_POOL_SETTINGS).join(', ')}`,
      )
    }
    const least = (COUNTS as Record<string, number>)[name]
    if (name === 'captureStacks') requireOneOf(`pool.${name}`, value, ['always', 'adaptive', 'never'])
    else if (least !== undefined) requireCount(name, value, least)
    else requireDuration(`pool.${name}`, value, (MIN_MILLIS as Record<string, number>)[name])
  }
  const { min = DEFAULT_POOL_SETTINGS.min, max } = given
  if (max !== undefined && min > max)
    throw new InvalidOptionError('pool.min', min, `no more than pool.max, which is ${max}`)
}

function requireCount(name: string, value: unknown, least: number): void {
  const endless = value === Infinity && name !== 'max' && name !== 'min'
  if (!endless) requireInteger(`pool.${name}`, value, least)
}
