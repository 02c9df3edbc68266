import {
  ConnectionString,
  directUrlFor,
  guessProvider,
  InvalidOptionError,
  normalizeTarget,
  parseConnectionString,
  withService,
} from '@poolguard/core/adapter'
import { type Credentials, type PostgresOptions, requirePostgres, urlOf } from './postgres-options.ts'

/**
 * Options of a DataSource for TypeORM's command line: a direct connection without the pooler, and one connection of plain pg, which
 * is all that migrations need. The direct URL is the argument, or else `DIRECT_URL`, or else derived by the rule of a known
 * provider. If no known pooler is in between, the URL of the options is used.
 *
 * @throws {InvalidOptionError} behind a known pooler without a direct URL; `ConnectionStringError` for a bad URL.
 * @example
 * // typeorm migration:run -d dist/migration-data-source.js
 * export default new DataSource(migrationDataSource(options))
 */
export function migrationDataSource<T extends PostgresOptions>(
  options: T,
  directUrl: string | undefined = process.env.DIRECT_URL,
): T {
  requirePostgres(options)
  const { replication, extra, ...rest } = options
  const credentials = replication?.master ?? options
  const direct = directUrl
    ? { url: normalizeTarget(withService(parseConnectionString(directUrl))).href }
    : directCredentials(credentials)
  return { ...rest, ...replication?.master, ...direct, extra: { ...extra, max: 1 } } as unknown as T
}

function directCredentials(credentials: Credentials): Partial<Credentials> {
  const url = urlOf(credentials)
  const given = url ?? fieldsOf(credentials)
  const direct = directUrlFor(given)?.url
  if (!direct) {
    requireNoPooler(given)
    return url ? { url: url.href } : {}
  }
  const [address] = direct.hosts
  return url ? { url: direct.href } : { ...address, ...(direct.user !== undefined && { username: direct.user }) }
}

function fieldsOf({ host = 'localhost', port, username, database }: Credentials): ConnectionString {
  return new ConnectionString({ hosts: [port === undefined ? { host } : { host, port }], user: username, database })
}

/** A pooler in session mode works for migrations. */
function requireNoPooler(connection: ConnectionString): void {
  const assumed = guessProvider(connection)
  if (!assumed || assumed.endpoint === 'direct' || assumed.endpoint === 'session-pooler') return
  throw new InvalidOptionError(
    'directUrl',
    undefined,
    `the direct URL of the database: ${connection.hosts[0]?.host} looks like a pooler (${assumed.provider}), and ` +
      'migrations need a direct connection. Set DIRECT_URL, or pass the URL as second argument',
  )
}
