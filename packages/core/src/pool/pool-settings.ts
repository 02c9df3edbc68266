import { InvalidOptionError, requireDuration, requireInteger, requireOneOf } from '../invalid-option-error.ts'
import type { OverloadPolicy } from './overload-control.ts'

/** The settings of a pool. Durations are in milliseconds; `Infinity` means never or no limit. */
export interface PoolSettings {
  /** Maximum number of open connections, including those that are closing. */
  readonly max: number
  /** Connections that stay open while idle. */
  readonly min: number
  /**
   * What else limits the connections.
   *
   * - `max`: nothing else.
   * - a number: callers have at most as many connections at the same time. No connection is closed or opened because of it.
   * - `cores`: `max` is at most the pool's part of 2 x {@link PoolSettings.serverCores} + 1, which is about as many as the server can keep
   *   busy; the instances of a fleet, or `instances`, divide it. With more, queries are slower and no more of them finish.
   * - `adaptive`: like a number that the pool finds: while callers wait, it compares limits up to `max` and keeps the one with which the
   *   server answers the most statements. For one process; not together with `fleet` or several `instances`.
   */
  readonly limit: 'max' | 'cores' | 'adaptive' | number
  /** CPU cores of the database server, for `limit: 'cores'`, and where `adaptive` begins. A server does not report them, so the default is an assumption. */
  readonly serverCores: number
  /** How long a caller waits for a connection. */
  readonly acquireTimeoutMillis: number
  /** How long one attempt to connect may take. Also the timeout of a validation, a reset and a close. */
  readonly connectTimeoutMillis: number
  /** How long a connection above `min` stays open while idle. */
  readonly idleTimeoutMillis: number
  /** Age at which a connection is replaced, once it is idle. Each connection gets up to 10 % less, so that they do not all expire together. */
  readonly maxLifetimeMillis: number
  /** Checkouts after which a connection is replaced. */
  readonly maxUses: number
  /**
   * A connection that was idle for longer is validated before it is lent. After a connection was lost, each of the others is validated
   * before it is lent again, however short it was idle. `Infinity`: never.
   */
  readonly validateAfterIdleMillis: number
  /** Maximum number of callers that wait while all connections are in use; further callers are rejected immediately. */
  readonly maxWaiters: number
  /**
   * What happens while more callers arrive than the connections can serve, which is when callers have been waiting without interruption
   * for 100 ms, or for twice the usual duration of a checkout if that is longer. Before, and afterwards, callers are served first come,
   * first served.
   *
   * - `wait`: callers wait until their deadline. A caller with less time left than two checkouts usually take is served after callers
   *   with more time: it could no longer use the connection in time.
   * - `shed`: the newest caller is served first, and callers are rejected early with {@link PoolOverloadedError}: those that arrive
   *   during the overload after 10 ms, or after the time in which the connections serve four callers each, and those that have too little time
   *   left. Most callers get an answer within milliseconds, the others a rejection.
   */
  readonly overload: OverloadPolicy
  /** How long a shutdown waits for connections that are in use. */
  readonly drainMillis: number
  /** A lease on which no byte moves for this long is reported as a suspected leak. */
  readonly leakThresholdMillis: number
  /** A query that runs for this long is reported, with its text and its caller. */
  readonly longQueryMillis: number
  /**
   * Whether a lease captures the stack of its caller, for reports of leaks and timeouts. Capturing a stack costs more than
   * the rest of a checkout, so `adaptive` does it only for ten leak thresholds after each suspected leak.
   */
  readonly captureStacks: 'always' | 'adaptive' | 'never'
  /**
   * Which statements of the pool's own `query` may be sent behind others on a connection in use, if no connection is idle and none may
   * be opened: `reads` those that only read, `all` also those that write rows, `off` none. Off behind a pooler that is not known to be PgBouncer.
   */
  readonly pipeline: 'off' | 'reads' | 'all'
  /** A statement is sent behind others only if these are expected to take less than this. A slower statement runs alone. */
  readonly shareWithinMillis: number
}

/**
 * Sources: max and min as in pg; timeouts as in Prisma 6; lifetime and validation as in HikariCP; waiters after
 * psycopg_pool; the leak threshold as requested in brianc/node-postgres#137.
 */
export const DEFAULT_POOL_SETTINGS: PoolSettings = {
  max: 10,
  min: 0,
  limit: 'max',
  serverCores: 4,
  acquireTimeoutMillis: 10_000,
  connectTimeoutMillis: 5_000,
  idleTimeoutMillis: 30_000,
  maxLifetimeMillis: 1_800_000,
  maxUses: Infinity,
  validateAfterIdleMillis: 500,
  maxWaiters: 1_000,
  overload: 'wait',
  drainMillis: 10_000,
  leakThresholdMillis: 60_000,
  longQueryMillis: 30_000,
  captureStacks: 'adaptive',
  pipeline: 'off',
  shareWithinMillis: 10,
}

const COUNTS = { max: 1, min: 0, serverCores: 1, maxUses: 1, maxWaiters: 0 } as const

const CHOICES = {
  captureStacks: ['always', 'adaptive', 'never'],
  overload: ['wait', 'shed'],
  pipeline: ['off', 'reads', 'all'],
} as const

/** The values of `limit` that are no number. */
const LIMITS = ['max', 'cores', 'adaptive'] as const

/** With 0, every connection would fail or expire immediately. */
const MIN_MILLIS = { connectTimeoutMillis: 1, maxLifetimeMillis: 1 } as const

/**
 * Validates the settings of a user.
 *
 * @throws {InvalidOptionError} for an unknown setting or an invalid value.
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
    const choices = (CHOICES as Record<string, readonly string[]>)[name]
    if (name === 'limit') requireLimit(value)
    else if (choices) requireOneOf(`pool.${name}`, value, choices)
    else if (least !== undefined) requireCount(name, value, least)
    else requireDuration(`pool.${name}`, value, (MIN_MILLIS as Record<string, number>)[name])
  }
  const { min = DEFAULT_POOL_SETTINGS.min, max } = given
  if (max !== undefined && min > max)
    throw new InvalidOptionError('pool.min', min, `no more than pool.max, which is ${max}`)
}

function requireLimit(value: unknown): void {
  const isNumber = Number.isSafeInteger(value) && (value as number) >= 1
  if (isNumber || (LIMITS as readonly unknown[]).includes(value)) return
  const names = LIMITS.map((name) => `'${name}'`).join(', ')
  throw new InvalidOptionError('pool.limit', value, `${names}, or a number of connections of at least 1`)
}

function requireCount(name: string, value: unknown, least: number): void {
  const isUnlimited = value === Infinity && name !== 'max' && name !== 'min' && name !== 'serverCores'
  if (!isUnlimited) requireInteger(`pool.${name}`, value, least)
}
