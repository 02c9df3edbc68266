import { type ConnectionString, hiddenTexts } from '../../connection-string/index.ts'
import type { TopologyTraits } from '../../topology/index.ts'
import type { ConnectionSettings } from '../neutral/connection-settings.ts'
import { wholeSeconds } from '../neutral/durations.ts'
import { hideSecrets } from '../neutral/hide-secrets.ts'
import { readConnection } from '../neutral/reading.ts'
import type { ReadCertificate } from '../neutral/tls-options.ts'
import {
  type PostgresJsDriverOptions,
  type PostgresJsDriverRewriting,
  postgresJsDriverOptions,
} from './driver-options.ts'
import { lostPoolSettings, translatedPoolSettings } from './warnings.ts'

/** Options of `postgres()`, with its names; its durations are in seconds. */
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
  /** Contains the password, and hides it when it is printed. */
  readonly options: PostgresJsOptions
}

/**
 * Rewrites a connection string for a plain `postgres(options)` of postgres.js 3.4.
 *
 * - There is no URL: postgres.js sends every parameter of one that it does not know to the server as a setting, and dies
 *   of it (42704, through PgBouncer 08P01); of a URL it also misreads IPv6, sockets and a `%` in the password, and takes
 *   `max=3` for one connection.
 * - `prepare` is false where clients share servers and prepared statements are not known to be safe, or where they are
 *   known to be unsafe; without a topology, where `pgbouncer=true` says so.
 * - `fetch_types` is false where clients share servers: its query fails outside anybody's reach when the pooler is full
 *   (porsager/postgres#1192).
 * - Settings of the server stand in `connection`, unless the pooler would refuse them.
 *
 * @param readCertificate reads the files that `sslrootcert`, `sslcert` and `sslkey` name; without it they are warned about.
 * @throws {ConnectionStringError} names the parameter that cannot be read.
 * @throws {InvalidOptionError} names the setting that is invalid.
 * @see https://github.com/porsager/postgres#connection-details
 * @example
 * toPostgresJs(parseConnectionString('postgresql://app@db/orders?connection_limit=5')).options
 * // { host: ['db'], port: [5432], user: 'app', database: 'orders', max: 5 }
 */
export function toPostgresJs(
  connection: ConnectionString,
  settings: ConnectionSettings = {},
  topology?: TopologyTraits,
  readCertificate?: ReadCertificate,
): PostgresJsRewriting {
  const reading = readConnection(connection, settings)
  const driver = postgresJsDriverOptions(reading, { topology, readCertificate })
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
