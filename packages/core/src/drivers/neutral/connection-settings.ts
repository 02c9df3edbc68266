import { InvalidOptionError } from '../../invalid-option-error.ts'

/**
 * Settings for connections and their pool, independent of any driver. Durations are in milliseconds; `Infinity` means no limit.
 * What is absent is left to the driver.
 */
export interface ConnectionSettings {
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

/** The settings that are numbers. */
export type NumericSetting = Exclude<keyof ConnectionSettings, 'applicationName'>

/** The settings that are sent to the server when a connection starts, with the server's names. */
export const SERVER_SETTINGS = {
  statementTimeoutMillis: 'statement_timeout',
  lockTimeoutMillis: 'lock_timeout',
  idleInTransactionTimeoutMillis: 'idle_in_transaction_session_timeout',
} as const

const LEAST: Partial<Record<NumericSetting, number>> = { max: 1, min: 0 }

const KNOWN: readonly string[] = [
  'max',
  'min',
  'acquireTimeoutMillis',
  'connectTimeoutMillis',
  'idleTimeoutMillis',
  'maxLifetimeMillis',
  'queryTimeoutMillis',
  ...Object.keys(SERVER_SETTINGS),
  'applicationName',
]

/** @throws {InvalidOptionError} names the setting and its value. */
export function validateConnectionSettings(settings: ConnectionSettings): void {
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined || !KNOWN.includes(name)) continue
    if (name === 'applicationName') {
      if (typeof value !== 'string') throw new InvalidOptionError(name, value, 'a text')
      continue
    }
    const least = LEAST[name as NumericSetting]
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
