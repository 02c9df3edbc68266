import { type ConnectionString, hiddenTexts } from '../../connection-string/index.ts'
import { omitUndefined } from '../../omit-undefined.ts'
import type { TopologyTraits } from '../../topology/index.ts'
import type { ConnectionSettings } from '../neutral/connection-settings.ts'
import { wholeMillis, wholeSeconds } from '../neutral/durations.ts'
import { hideSecrets } from '../neutral/hide-secrets.ts'
import { readConnection } from '../neutral/reading.ts'
import type { ReadCertificate } from '../neutral/tls-options.ts'
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
  /** Contains the password, and hides it when it is printed. */
  readonly options: PgOptions
}

/**
 * Rewrites a connection string for a plain `pg.Pool`, and so for Prisma 7, Drizzle and TypeORM without poolguard.
 *
 * - Everything is a field of its own, never `connectionString`, which in pg wins over fields. So an `ssl` or a password beside
 *   these options, `{ ...options, ssl: { ca } }`, is used.
 * - What pg does not read from a URL (`connection_limit`, `pool_timeout`, `connect_timeout`, `max`, settings of the
 *   server...) is translated. pg has one timer for waiting and for connecting: `acquireTimeoutMillis` sets it, without one
 *   `connectTimeoutMillis`.
 * - `statement_timeout=5s` becomes 5000, where pg would send 5. `schema` becomes the search_path, and is returned separately for
 *   Prisma's adapter. `pgbouncer` and its like are dropped: pg's statements are unnamed unless the app names them.
 * - Of several hosts the first is kept, with a warning: pg would take the list for one name.
 * - `sslmode` means what it means to pg 8; see `stricter-tls`.
 *
 * @param readCertificate reads the files that `sslrootcert`, `sslcert` and `sslkey` name; without it they are warned about.
 * @throws {ConnectionStringError} names the parameter that cannot be read.
 * @throws {InvalidOptionError} names the setting that is invalid.
 * @see https://node-postgres.com/apis/pool
 * @example
 * toPg(parseConnectionString('postgresql://app@db/orders?connection_limit=5')).options
 * // { host: 'db', user: 'app', database: 'orders', max: 5 }
 */
export function toPg(
  connection: ConnectionString,
  settings: ConnectionSettings = {},
  topology?: TopologyTraits,
  readCertificate?: ReadCertificate,
): PgRewriting {
  const reading = readConnection(connection, settings)
  const driver = pgDriverOptions(reading, { topology, readCertificate })
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
