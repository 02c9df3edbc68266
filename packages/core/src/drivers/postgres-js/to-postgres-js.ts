import { type ConnectionString, hiddenTexts } from '../../connection-string/index.ts'
import type { DriverContext } from '../driver-context.ts'
import type { ConnectionSettings } from '../neutral/connection-settings.ts'
import { wholeSeconds } from '../neutral/durations.ts'
import { hideSecrets } from '../neutral/hide-secrets.ts'
import { readConnection } from '../neutral/reading.ts'
import {
  type PostgresJsDriverOptions,
  type PostgresJsDriverRewriting,
  postgresJsDriverOptions,
} from './driver-options.ts'
import { lostPoolSettings, translatedPoolSettings } from './warnings.ts'

/** Options of `postgres()`, with its names. Durations are in seconds. */
export interface PostgresJsOptions extends PostgresJsDriverOptions {
  max?: number
  /** Seconds; 0 means never. */
  idle_timeout?: number
  /** Seconds; 0 means no limit. */
  connect_timeout?: number
  /** Seconds; 0 means never. */
  max_lifetime?: number
}

/** A connection string rewritten for postgres.js. */
export interface PostgresJsRewriting extends PostgresJsDriverRewriting {
  /** Contains the password, but hides it from console.log and JSON.stringify. */
  readonly options: PostgresJsOptions
}

/**
 * Rewrites a connection string for a plain `postgres(options)` of postgres.js 3.4.
 *
 * - The result has no URL. postgres.js sends every unknown URL parameter to the server as a setting, which the server rejects
 *   (42704, through PgBouncer 08P01). It also misreads IPv6, sockets and a `%` in the password, and opens one connection for
 *   `max=3`.
 * - `prepare` is false if clients share servers and prepared statements are not known to be safe, or if they are known to be
 *   unsafe. Without a topology, `pgbouncer=true` sets it to false.
 * - `fetch_types` is false if clients share servers: when the pooler is full, its query fails with an error that no caller can
 *   catch (porsager/postgres#1192).
 * - `connection` contains server settings, unless the pooler would reject them.
 *
 * @throws {ConnectionStringError} if a parameter is invalid; names the parameter.
 * @throws {InvalidOptionError} if a setting is invalid; names the setting.
 * @see https://github.com/porsager/postgres#connection-details
 * @example
 * toPostgresJs(parseConnectionString('postgresql://app@db/orders?connection_limit=5')).options
 * // { host: ['db'], port: [5432], user: 'app', database: 'orders', max: 5 }
 */
export function toPostgresJs(
  connection: ConnectionString,
  settings: ConnectionSettings = {},
  context: DriverContext = {},
): PostgresJsRewriting {
  const reading = readConnection(connection, settings)
  const driver = postgresJsDriverOptions(reading, context)
  return {
    options: hideSecrets({ ...driver.options, ...poolOptions(reading.settings) }, hiddenTexts(connection)),
    warnings: [...driver.warnings, ...lostPoolSettings(reading)],
    repairs: [...reading.overridden, ...translatedPoolSettings(reading), ...driver.repairs],
  }
}

function poolOptions(settings: ConnectionSettings): PostgresJsOptions {
  const { max, idleTimeoutMillis: idle, connectTimeoutMillis: connect, maxLifetimeMillis: lifetime } = settings
  return {
    ...(max !== undefined && { max }),
    ...(idle !== undefined && { idle_timeout: wholeSeconds(idle) }),
    ...(connect !== undefined && { connect_timeout: wholeSeconds(connect) }),
    ...(lifetime !== undefined && { max_lifetime: wholeSeconds(lifetime) }),
  }
}
