import { requireInteger, requireOneOf } from '../invalid-option-error.ts'

export interface PrepareOptions {
  /**
   * How often a pool must see a parameterised text before it prepares the text under a name, so that the server parses and
   * plans it once per connection. 0: the first time; null: never. Default: 5, as in psycopg and pgjdbc. Applies only where
   * prepared statements were proven to work.
   */
  readonly prepareThreshold?: number | null
  /** Maximum number of prepared statements per connection; beyond that the least recently used one is closed. Default: 256, as in pgjdbc. */
  readonly maxPreparedStatements?: number
  /**
   * Which statements may be prepared. PostgreSQL keeps the types of a prepared statement's parameters when a migration changes the columns.
   * `proven` (the default): only statements and values for which this makes no difference. `all`: every statement. After
   * `ALTER COLUMN ... TYPE`, values may then be stored or compared as the old type, until the process is restarted.
   */
  readonly prepareTypes?: 'proven' | 'all'
}

/** Whether a pool prepares statements automatically, and why. */
export interface PreparingState {
  readonly active: boolean
  readonly reason: string
}

/** The state of a pool whose server has not been detected. */
export const UNDETECTED: PreparingState = { active: false, reason: 'the topology has not been detected yet' }

/**
 * Validates the options of a user.
 *
 * @throws {InvalidOptionError} for an invalid value.
 */
export function validatePrepareOptions({
  prepareThreshold,
  maxPreparedStatements,
  prepareTypes,
}: PrepareOptions): void {
  if (prepareThreshold !== undefined && prepareThreshold !== null)
    requireInteger('prepareThreshold', prepareThreshold, 0)
  if (maxPreparedStatements !== undefined) requireInteger('maxPreparedStatements', maxPreparedStatements, 1)
  requireOneOf('prepareTypes', prepareTypes, ['proven', 'all'])
}
