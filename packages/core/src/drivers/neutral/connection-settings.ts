import { InvalidOptionError } from '../../invalid-option-error.ts'

/**
 * What an app wants of its connections, in no driver's words. Durations are milliseconds; `Infinity` means without end.
 * Whatever is absent is left to the driver.
 */
export interface ConnectionWishes {
  /** Most connections open at once. */
  readonly max?: number | undefined
  /** Connections kept open while nobody asks. */
  readonly min?: number | undefined
  /** How long a caller waits for a connection. */
  readonly acquireTimeoutMillis?: number | undefined
  /** How long one attempt to connect may take. */
  readonly connectTimeoutMillis?: number | undefined
  /** How long an unused connection stays open. */
  readonly idleTimeoutMillis?: number | undefined
  /** Age at which a connection is replaced. */
  readonly maxLifetimeMillis?: number | undefined
  /** How long the client waits for an answer. The server goes on working. */
  readonly queryTimeoutMillis?: number | undefined
  /** PostgreSQL's `statement_timeout`. */
  readonly statementTimeoutMillis?: number | undefined
  /** PostgreSQL's `lock_timeout`. */
  readonly lockTimeoutMillis?: number | undefined
  /** PostgreSQL's `idle_in_transaction_session_timeout`. */
  readonly idleInTransactionTimeoutMillis?: number | undefined
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string | undefined
}

/** The wishes that a number expresses. */
export type NumericWish = Exclude<keyof ConnectionWishes, 'applicationName'>

/** The wishes that the server is told of when a connection starts, and its names for them. */
export const SERVER_WISHES = {
  statementTimeoutMillis: 'statement_timeout',
  lockTimeoutMillis: 'lock_timeout',
  idleInTransactionTimeoutMillis: 'idle_in_transaction_session_timeout',
} as const

const LEAST: Partial<Record<NumericWish, number>> = { max: 1, min: 0 }

const KNOWN: readonly string[] = [
  'max',
  'min',
  'acquireTimeoutMillis',
  'connectTimeoutMillis',
  'idleTimeoutMillis',
  'maxLifetimeMillis',
  'queryTimeoutMillis',
  ...Object.keys(SERVER_WISHES),
  'applicationName',
]

/** @throws {InvalidOptionError} names the wish and its value. */
export function validateWishes(wishes: ConnectionWishes): void {
  for (const [name, value] of Object.entries(wishes)) {
    if (value === undefined || !KNOWN.includes(name)) continue
    if (name === 'applicationName') {
      if (typeof value !== 'string') throw new InvalidOptionError(name, value, 'a text')
      continue
    }
    const least = LEAST[name as NumericWish]
    const fits =
      least === undefined ? typeof value === 'number' && value >= 0 : Number.isSafeInteger(value) && value >= least
    if (fits) continue
    throw new InvalidOptionError(
      name,
      value,
      least === undefined ? 'a number of milliseconds, or Infinity' : `a whole number of at least ${least}`,
    )
  }
}
