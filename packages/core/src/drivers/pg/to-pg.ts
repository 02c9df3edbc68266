import { type ConnectionString, hiddenTexts } from '../../connection-string/index.ts'
import { omitUndefined } from '../../omit-undefined.ts'
import type { DriverContext } from '../driver-context.ts'
import type { ConnectionSettings } from '../neutral/connection-settings.ts'
import { wholeMillis, wholeSeconds } from '../neutral/durations.ts'
import { hideSecrets } from '../neutral/hide-secrets.ts'
import { readConnection } from '../neutral/reading.ts'
import { type PgDriverOptions, type PgDriverRewriting, pgDriverOptions } from './driver-options.ts'
import { translatedPoolSettings } from './warnings.ts'

/** Options of `pg.Pool`, with pg's names and units. */
export interface PgOptions extends PgDriverOptions {
  max?: number
  min?: number
  connectionTimeoutMillis?: number
  idleTimeoutMillis?: number
  maxLifetimeSeconds?: number
}

/** A connection string rewritten for `pg.Pool`. */
export interface PgRewriting extends PgDriverRewriting {
  /** Contains the password, but hides it from console.log and JSON.stringify. */
  readonly options: PgOptions
}

/**
 * Rewrites a connection string for a plain `pg.Pool`, also for use with Prisma 7, Drizzle and TypeORM without poolguard.
 *
 * - The result has separate fields and never `connectionString`, because `connectionString` overrides other fields in pg. So you can
 *   add or replace fields: `{ ...options, ssl: { ca } }`.
 * - Parameters that pg does not read from a URL (`connection_limit`, `pool_timeout`, `connect_timeout`, `max`, server
 *   settings...) are translated. pg has a single timeout for waiting and connecting: it is set to `acquireTimeoutMillis`, or else to
 *   `connectTimeoutMillis`.
 * - `statement_timeout=5s` becomes 5000 (pg alone would send 5). `schema` becomes the search_path, and is returned separately for
 *   Prisma's adapter. `pgbouncer` and similar flags are dropped: pg's statements are unnamed unless the app names them.
 * - The first of several hosts is kept, with a warning: pg would treat the list as one name.
 * - `sslmode` has its meaning in pg 8; see `stricter-tls`.
 *
 * @throws {ConnectionStringError} if a parameter is invalid; names the parameter.
 * @throws {InvalidOptionError} if a setting is invalid; names the setting.
 * @see https://node-postgres.com/apis/pool
 * @example
 * toPg(parseConnectionString('postgresql://app@db/orders?connection_limit=5')).options
 * // { host: 'db', user: 'app', database: 'orders', max: 5 }
 */
export function toPg(
  connection: ConnectionString,
  settings: ConnectionSettings = {},
  context: DriverContext = {},
): PgRewriting {
  const reading = readConnection(connection, settings)
  const driver = pgDriverOptions(reading, context)
  return {
    ...driver,
    options: hideSecrets({ ...driver.options, ...poolOptions(reading.settings) }, hiddenTexts(connection)),
    repairs: [...reading.overridden, ...translatedPoolSettings(reading), ...driver.repairs],
  }
}

function poolOptions(settings: ConnectionSettings): PgOptions {
  const timer = settings.acquireTimeoutMillis ?? settings.connectTimeoutMillis
  const { max, min, idleTimeoutMillis: idle, maxLifetimeMillis: lifetime } = settings
  return omitUndefined({
    max,
    min,
    connectionTimeoutMillis: timer === undefined ? undefined : wholeMillis(timer),
    idleTimeoutMillis: idle === undefined ? undefined : wholeMillis(idle),
    maxLifetimeSeconds: lifetime === undefined ? undefined : wholeSeconds(lifetime),
  })
}
