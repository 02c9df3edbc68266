import { InvalidOptionError } from '@poolguard/core'
import {
  ConnectionString,
  directUrlFor,
  guessProvider,
  normalizeTarget,
  parseConnectionString,
} from '@poolguard/core/postgres'
import { type Credentials, type PostgresOptions, requirePostgres, urlOf } from './postgres-options.ts'

/**
 * Options of the DataSource that TypeORM's command line is given: past the pooler, and with one connection of plain pg,
 * as migrations need no more. The direct URL is the argument, else `DIRECT_URL`, else made by the rule of a known
 * provider; and where no pooler is known to stand in between, the options' own.
 *
 * @throws {InvalidOptionError} behind a known pooler where no direct URL can be had; `ConnectionStringError`.
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
    ? { url: normalizeTarget(parseConnectionString(directUrl)).href }
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

/** One in session mode does. */
function requireNoPooler(connection: ConnectionString): void {
  const assumed = guessProvider(connection)
  if (!assumed || assumed.endpoint === 'direct' || assumed.endpoint === 'session-pooler') return
  throw new InvalidOptionError(
    'directUrl',
    undefined,
    `the URL of the database itself: ${connection.hosts[0]?.host} looks like a pooler (${assumed.provider}), through ` +
      'which migrations are not to run. Set DIRECT_URL, or give it as second argument',
  )
}
