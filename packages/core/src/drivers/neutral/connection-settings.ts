import { InvalidOptionError } from '../../invalid-option-error.ts'

/**
 * Settings for connections and their pool, independent of any driver. Durations are in milliseconds; `Infinity` means no limit.
 * An absent setting has the driver's default.
 */
export interface ConnectionSettings {
  /** Maximum number of open connections. */
  readonly max?: number | undefined
  /** Connections that the pool keeps open without demand. */
  readonly min?: number | undefined
  /** How long a caller waits for a connection. */
  readonly acquireTimeoutMillis?: number | undefined
  /** Timeout of one connection attempt. */
  readonly connectTimeoutMillis?: number | undefined
  /** How long an idle connection stays open. */
  readonly idleTimeoutMillis?: number | undefined
  /** Age at which a connection is replaced. */
  readonly maxLifetimeMillis?: number | undefined
  /** How long the client waits for the result of a query. The server continues to run the query. */
  readonly queryTimeoutMillis?: number | undefined
  /** PostgreSQL's `statement_timeout`. */
  readonly statementTimeoutMillis?: number | undefined
  /** PostgreSQL's `lock_timeout`. */
  readonly lockTimeoutMillis?: number | undefined
  /** PostgreSQL's `idle_in_transaction_session_timeout`. */
  readonly idleInTransactionTimeoutMillis?: number | undefined
  /** The name of the app in pg_stat_activity. */
  readonly applicationName?: string | undefined
}

/** The settings that are numbers. */
export type NumericSetting = Exclude<keyof ConnectionSettings, 'applicationName'>

/** The settings that the client sends to the server when a connection opens, with the server's names. */
export const SERVER_SETTINGS = {
  statementTimeoutMillis: 'statement_timeout',
  lockTimeoutMillis: 'lock_timeout',
  idleInTransactionTimeoutMillis: 'idle_in_transaction_session_timeout',
} as const

const MIN_VALUES: Partial<Record<NumericSetting, number>> = { max: 1, min: 0 }

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

/** @throws {InvalidOptionError} if a setting is invalid; names the setting and its value. */
export function validateConnectionSettings(settings: ConnectionSettings): void {
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined || !KNOWN.includes(name)) continue
    if (name === 'applicationName') {
      if (typeof value !== 'string') throw new InvalidOptionError(name, value, 'a string')
      continue
    }
    const min = MIN_VALUES[name as NumericSetting]
    const fits =
      min === undefined ? typeof value === 'number' && value >= 0 : Number.isSafeInteger(value) && value >= min
    if (fits) continue
    throw new InvalidOptionError(
      name,
      value,
      min === undefined ? 'a number of milliseconds, or Infinity' : `a whole number of at least ${min}`,
    )
  }
}
