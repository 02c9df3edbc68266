import type { ConnectionString, HostAddress } from '../../connection-string/index.ts'
import type { TopologyTraits } from '../../topology/index.ts'
import type { ConnectionWishes } from '../neutral/connection-settings.ts'
import { wholeSeconds } from '../neutral/durations.ts'
import { hideSecrets } from '../neutral/hide-secrets.ts'
import { type Reading, readConnection, readFlag } from '../neutral/reading.ts'
import { admitSettings, searchPath } from '../neutral/server-settings.ts'
import { printStartupOptions } from '../neutral/startup-options.ts'
import type { ReadCertificate, TlsOptions } from '../neutral/tls-options.ts'
import type { RewriteWarning } from '../rewriting.ts'
import { postgresJsTls } from './tls.ts'
import { postgresJsWarnings, readPrepare } from './warnings.ts'

/** Options of `postgres()`, in its own names; its durations are in seconds. */
export interface PostgresJsOptions {
  host?: string[]
  port?: number[]
  /** The file of a Unix socket. */
  path?: string
  user?: string
  password?: string
  database?: string
  ssl?: boolean | 'require' | 'allow' | 'prefer' | 'verify-full' | TlsOptions
  max?: number
  /** Seconds; 0 is never. */
  idle_timeout?: number
  /** Seconds; 0 is without end. */
  connect_timeout?: number
  /** Seconds; 0 is never. */
  max_lifetime?: number
  keep_alive?: number
  prepare?: boolean
  fetch_types?: boolean
  target_session_attrs?: 'read-write' | 'read-only' | 'primary' | 'standby' | 'prefer-standby'
  /** Sent to the server when a connection starts. */
  connection?: Record<string, string>
}

/** A connection string rewritten for postgres.js. The options hold the password, and hide it when they are shown. */
export interface PostgresJsRewriting {
  readonly options: PostgresJsOptions
  readonly warnings: readonly RewriteWarning[]
}

const SESSION_ATTRIBUTES = ['read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const

/**
 * Writes options for `postgres(options)` of postgres.js 3.4.
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
 * @throws {InvalidOptionError} names the wish that cannot be meant.
 * @see https://github.com/porsager/postgres#connection-details
 * @example
 * toPostgresJs(parseConnectionString('postgresql://app@db/orders?connection_limit=5')).options
 * // { host: ['db'], port: [5432], user: 'app', database: 'orders', max: 5 }
 */
export function toPostgresJs(
  connection: ConnectionString,
  wishes: ConnectionWishes = {},
  topology?: TopologyTraits,
  readCertificate?: ReadCertificate,
): PostgresJsRewriting {
  const reading = readConnection(connection, wishes)
  const { target } = reading
  const tls = postgresJsTls(reading.tls, readCertificate)
  const settings = [...reading.settings, ...searchPath(reading.schema, reading.settings)]
  const admitted = admitSettings(settings, target.user, topology)
  const options: PostgresJsOptions = {
    ...address(target.hosts),
    ...(target.user !== undefined && { user: target.user }),
    ...(target.password !== undefined && { password: target.password }),
    ...(target.database !== undefined && { database: target.database }),
    ...(tls.ssl !== undefined && { ssl: tls.ssl }),
    ...poolOptions(reading),
    ...statementOptions(reading, topology),
    ...sessionAttributes(reading),
    ...startup(reading, admitted.settings),
  }
  return {
    options: hideSecrets(options),
    warnings: [
      ...reading.warnings,
      ...postgresJsWarnings(reading, admitted.settings, topology),
      ...admitted.warnings,
      ...tls.warnings,
    ],
  }
}

/** Always lists: as one string, postgres.js parts a host at its colons. */
function address(hosts: readonly HostAddress[]): PostgresJsOptions {
  const first = hosts[0]
  if (first === undefined) return {}
  const port = first.port ?? 5432
  if (first.host.startsWith('/')) return { path: `${first.host.replace(/\/+$/, '')}/.s.PGSQL.${port}`, port: [port] }
  const servers = hosts.filter(({ host }) => !host.startsWith('/'))
  return {
    host: servers.map(({ host }) => (host === '' ? 'localhost' : host)),
    port: servers.map((server) => server.port ?? 5432),
  }
}

function poolOptions({ wishes, others }: Reading): PostgresJsOptions {
  const { max, idleTimeoutMillis: idle, connectTimeoutMillis: connect, maxLifetimeMillis: lifetime } = wishes
  const keepAlive = others.get('keep_alive') ?? others.get('keepalives_idle')
  return {
    ...(max !== undefined && { max }),
    ...(idle !== undefined && { idle_timeout: wholeSeconds(idle) }),
    ...(connect !== undefined && { connect_timeout: wholeSeconds(connect) }),
    ...(lifetime !== undefined && { max_lifetime: wholeSeconds(lifetime) }),
    ...(keepAlive !== undefined && /^\d{1,9}$/.test(keepAlive) && { keep_alive: Number(keepAlive) }),
  }
}

function statementOptions(reading: Reading, topology: TopologyTraits | undefined): PostgresJsOptions {
  const prepare = readPrepare(reading, topology)
  const fetchTypes = readFlag(reading, 'fetch_types') ?? (topology?.sharesServers ? false : undefined)
  return {
    ...(prepare !== undefined && { prepare }),
    ...(fetchTypes !== undefined && { fetch_types: fetchTypes }),
  }
}

function sessionAttributes({ others }: Reading): PostgresJsOptions {
  const wanted = others.get('target_session_attrs')
  const known = SESSION_ATTRIBUTES.find((attributes) => attributes === wanted)
  return known ? { target_session_attrs: known } : {}
}

function startup(
  reading: Reading,
  settings: readonly { name: string; value: string; parameter: string }[],
): PostgresJsOptions {
  const name = reading.wishes.applicationName ?? reading.others.get('fallback_application_name')
  const fromOptions = settings.filter(({ parameter }) => parameter === 'options')
  const options = printStartupOptions({ settings: fromOptions.map((s) => ({ ...s })), rest: reading.routing })
  const plain = settings.filter(({ parameter }) => parameter !== 'options').map(({ name, value }) => [name, value])
  const replication = reading.others.get('replication')
  const connection: Record<string, string> = {
    ...(name !== undefined && { application_name: name }),
    ...Object.fromEntries(plain),
    ...(options !== undefined && { options }),
    ...(replication !== undefined && { replication }),
  }
  return Object.keys(connection).length === 0 ? {} : { connection }
}
