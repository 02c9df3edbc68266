import type { ConnectionString } from '../../connection-string/index.ts'
import { definedOnly } from '../../defined-only.ts'
import type { TopologyTraits } from '../../topology/index.ts'
import type { ConnectionWishes } from '../neutral/connection-settings.ts'
import { serverDurationMillis, wholeMillis, wholeSeconds } from '../neutral/durations.ts'
import { hideSecrets } from '../neutral/hide-secrets.ts'
import { readConnection } from '../neutral/reading.ts'
import { admitSettings, searchPath } from '../neutral/server-settings.ts'
import { printStartupOptions, type ServerSetting } from '../neutral/startup-options.ts'
import type { ReadCertificate, TlsOptions } from '../neutral/tls-options.ts'
import type { RewriteWarning } from '../rewriting.ts'
import { pgTls } from './tls.ts'
import { pgUnread } from './warnings.ts'

/** Options of `pg.Pool`, in pg's own names and units. */
export interface PgOptions {
  host?: string
  port?: number
  user?: string
  password?: string
  database?: string
  ssl?: boolean | TlsOptions
  sslnegotiation?: string
  enableChannelBinding?: boolean
  application_name?: string
  fallback_application_name?: string
  options?: string
  replication?: string
  /** Milliseconds, as the other timeouts here, 0 being without end. */
  statement_timeout?: number
  lock_timeout?: number
  idle_in_transaction_session_timeout?: number
  query_timeout?: number
  keepAlive?: boolean
  keepAliveInitialDelayMillis?: number
  max?: number
  min?: number
  connectionTimeoutMillis?: number
  idleTimeoutMillis?: number
  maxLifetimeSeconds?: number
}

/** A connection string rewritten for pg. The options hold the password, and hide it when they are shown. */
export interface PgRewriting {
  readonly options: PgOptions
  /** Prisma's `schema`: an option of its adapter, not of pg. Here it is also the search_path. */
  readonly schema?: string
  readonly warnings: readonly RewriteWarning[]
}

const TIMEOUTS = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'] as const

/**
 * Writes options for `pg.Pool`, and so for Prisma 7, Drizzle and TypeORM.
 *
 * - Everything is a field of its own, never `connectionString`, which in pg wins over fields: an `ssl` or a password put
 *   beside these options, `{ ...options, ssl: { ca } }`, therefore holds.
 * - What pg does not read from a URL (`connection_limit`, `pool_timeout`, `connect_timeout`, `max`, settings of the
 *   server...) is translated. pg has one timer for waiting and connecting: `acquireTimeoutMillis` sets it, without one
 *   `connectTimeoutMillis`.
 * - `statement_timeout=5s` becomes 5000, where pg would send 5. `schema` becomes the search_path, and is given apart for
 *   Prisma's adapter. `pgbouncer` and its kind are dropped: statements of pg are unnamed unless the app names them.
 * - Of several hosts the first is kept, with a warning: pg would take the list for one name.
 * - `sslmode` means what it means to pg 8; see `stricter-tls`.
 *
 * @param readCertificate reads the files that `sslrootcert`, `sslcert` and `sslkey` name; without it they are warned about.
 * @throws {ConnectionStringError} names the parameter that cannot be read.
 * @throws {InvalidOptionError} names the wish that cannot be meant.
 * @see https://node-postgres.com/apis/pool
 * @example
 * toPg(parseConnectionString('postgresql://app@db/orders?connection_limit=5')).options
 * // { host: 'db', user: 'app', database: 'orders', max: 5 }
 */
export function toPg(
  connection: ConnectionString,
  wishes: ConnectionWishes = {},
  topology?: TopologyTraits,
  readCertificate?: ReadCertificate,
): PgRewriting {
  const reading = readConnection(connection, wishes)
  const { target, others, schema } = reading
  const tls = pgTls(reading.tls, readCertificate)
  const admitted = admitSettings([...reading.settings, ...searchPath(schema, reading.settings)], target.user, topology)
  const timeouts = pgTimeouts(admitted.settings)
  const unread = pgUnread(reading, admitted.settings)
  const startup = printStartupOptions({
    settings: admitted.settings.filter(({ name }) => !Object.hasOwn(timeouts, name)),
    rest: reading.routing,
  })
  const host = target.hosts[0]
  const options: PgOptions = definedOnly({
    host: host?.host === '' ? undefined : host?.host,
    port: host?.port,
    user: target.user,
    password: target.password,
    database: target.database,
    ssl: tls.ssl,
    sslnegotiation: tls.ssl ? reading.tls.negotiation : undefined,
    application_name: reading.wishes.applicationName,
    fallback_application_name: others.get('fallback_application_name'),
    options: startup,
    replication: others.get('replication'),
    ...timeouts,
    ...poolOptions(reading.wishes),
    ...unread.options,
  })
  return {
    options: hideSecrets(options),
    ...(schema !== undefined && { schema }),
    warnings: [...reading.warnings, ...unread.warnings, ...admitted.warnings, ...tls.warnings],
  }
}

/** pg reads these as numbers and drops the unit, so they are turned into milliseconds; what is no duration goes to the server. */
function pgTimeouts(settings: readonly ServerSetting[]): Partial<Record<(typeof TIMEOUTS)[number], number>> {
  return Object.fromEntries(
    TIMEOUTS.flatMap((name) => {
      const value = settings.find((setting) => setting.name === name)?.value
      const millis = value === undefined ? undefined : serverDurationMillis(value)
      return millis === undefined ? [] : [[name, millis]]
    }),
  )
}

function poolOptions(wishes: ConnectionWishes): PgOptions {
  const timer = wishes.acquireTimeoutMillis ?? wishes.connectTimeoutMillis
  const { max, min, idleTimeoutMillis: idle, maxLifetimeMillis: lifetime, queryTimeoutMillis: query } = wishes
  return definedOnly({
    max,
    min,
    connectionTimeoutMillis: timer === undefined ? undefined : wholeMillis(timer),
    idleTimeoutMillis: idle === undefined ? undefined : wholeMillis(idle),
    maxLifetimeSeconds: lifetime === undefined ? undefined : wholeSeconds(lifetime),
    query_timeout: query === undefined ? undefined : wholeMillis(query),
  })
}
