import type { ConnectionString, HostAddress } from '../connection-string/index.ts'

/** The kind of endpoint that a provider's rule assumes at a host and port. */
export type AssumedEndpoint = 'direct' | 'transaction-pooler' | 'session-pooler' | 'pooler'

/** A rule that recognizes a managed PostgreSQL by its host and port. */
export interface ProviderRule {
  readonly provider: string
  /** Undefined if the address does not belong to this provider. */
  readonly endpointAt: (address: Required<HostAddress>) => AssumedEndpoint | undefined
  /** The provider's documentation of the rule. */
  readonly source: string
  /** Additional information about the endpoint. */
  readonly note?: string
  /** The pooler pins a client that uses named statements to one server connection until it disconnects. */
  readonly pinsNamedStatements?: true
  /** The URL that bypasses the pooler, if the provider has a rule for it. */
  readonly directUrl?: (connection: ConnectionString, address: Required<HostAddress>) => DirectUrl | undefined
}

/** A URL that bypasses the provider's pooler, derived from the provider's rule and not tested. */
export interface DirectUrl {
  readonly url: ConnectionString
  readonly source: string
  /** A condition under which the URL does not work. */
  readonly caveat?: string
}

const NEON = 'https://neon.com/docs/connect/connection-pooling'
const SUPABASE = 'https://supabase.com/docs/guides/database/connecting-to-postgres'
const AZURE = 'https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-pgbouncer'
const ALIBABA =
  'https://www.alibabacloud.com/help/en/rds/apsaradb-rds-for-postgresql/use-pgbouncer-to-enable-or-disable-connection-pooling'
const PRISMA = 'https://www.prisma.io/docs/postgres/database/connecting-to-your-database'

/** Tried in this order. The last rule recognizes only PgBouncer's default port. */
export const PROVIDER_RULES: readonly ProviderRule[] = [
  {
    provider: 'Neon',
    source: NEON,
    endpointAt: ({ host }) =>
      host.endsWith('.neon.tech') ? (/^[^.]+-pooler\./.test(host) ? 'transaction-pooler' : 'direct') : undefined,
    directUrl: (connection, { host, port }) =>
      directUrlAt(connection, { host: host.replace(/^([^.]+)-pooler\./, '$1.'), port }, NEON),
  },
  {
    provider: 'Supabase',
    source: SUPABASE,
    endpointAt: ({ host, port }) => {
      if (host.endsWith('.pooler.supabase.com')) return port === 6543 ? 'transaction-pooler' : 'session-pooler'
      if (!/^db\.[^.]+\.supabase\.co$/.test(host)) return undefined
      return port === 6543 ? 'transaction-pooler' : 'direct'
    },
    directUrl: supabaseDirectUrl,
  },
  {
    provider: 'Amazon RDS Proxy',
    source: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-pinning.html',
    pinsNamedStatements: true,
    note: 'named statements and SET pin a session to one server connection: they work, but the session no longer shares its connection',
    endpointAt: ({ host }) =>
      /\.proxy-[^.]+\.[^.]+\.rds\.amazonaws\.com(\.cn)?$/.test(host) ? 'transaction-pooler' : undefined,
  },
  {
    provider: 'Amazon RDS',
    source: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-connecting.html',
    endpointAt: ({ host }) => (/\.rds\.amazonaws\.com(\.cn)?$/.test(host) ? 'direct' : undefined),
  },
  {
    provider: 'Azure Database for PostgreSQL',
    source: AZURE,
    note: 'the built-in PgBouncer runs by default in transaction mode with max_prepared_statements = 0',
    endpointAt: ({ host, port }) =>
      host.endsWith('.postgres.database.azure.com') ? (port === 6432 ? 'transaction-pooler' : 'direct') : undefined,
    directUrl: (connection, { host }) => directUrlAt(connection, { host, port: 5432 }, AZURE),
  },
  {
    provider: 'DigitalOcean',
    source: 'https://docs.digitalocean.com/products/databases/postgresql/how-to/manage-connection-pools/',
    note: 'each pool has its own mode, transaction by default. The URL contains the name of the pool instead of the database, so that the direct URL (port 25060) cannot be derived from it',
    endpointAt: ({ host, port }) =>
      host.endsWith('.db.ondigitalocean.com') ? (port === 25061 ? 'transaction-pooler' : 'direct') : undefined,
  },
  {
    provider: 'Alibaba Cloud RDS',
    source: ALIBABA,
    note: 'both ports are the defaults and may have been changed',
    endpointAt: ({ host, port }) =>
      /\.pg(?:sql)?\./.test(host) && host.endsWith('rds.aliyuncs.com')
        ? port === 6432
          ? 'pooler'
          : 'direct'
        : undefined,
    directUrl: (connection, { host }) =>
      directUrlAt(
        connection,
        { host, port: 5432 },
        ALIBABA,
        '5432 is the default port of the database and may have been changed',
      ),
  },
  {
    provider: 'Prisma Postgres',
    source: PRISMA,
    endpointAt: ({ host }) =>
      host === 'pooled.db.prisma.io' ? 'transaction-pooler' : host === 'db.prisma.io' ? 'direct' : undefined,
    directUrl: (connection, { port }) => directUrlAt(connection, { host: 'db.prisma.io', port }, PRISMA),
  },
  {
    provider: 'PgBouncer',
    source: 'https://www.pgbouncer.org/config.html#listen_port',
    note: "6432 is PgBouncer's default port; only a probe can tell more",
    endpointAt: ({ port }) => (port === 6432 ? 'pooler' : undefined),
  },
]

function directUrlAt(
  connection: ConnectionString,
  { host, port }: Required<HostAddress>,
  source: string,
  caveat?: string,
): DirectUrl {
  const explicit = connection.hosts[0]?.port !== undefined || port !== 5432
  const url = connection.with({ hosts: [explicit ? { host, port } : { host }] }).without('pgbouncer')
  return { url, source, ...(caveat !== undefined && { caveat }) }
}

/** The user of the shared pooler is `role.project`; the project's host contains the project's name. */
function supabaseDirectUrl(connection: ConnectionString, { host }: Required<HostAddress>): DirectUrl | undefined {
  const caveat =
    'it is reachable only over IPv6, unless the project has the IPv4 add-on; without IPv6, use port 5432 of the pooler, which is in session mode'
  if (host.startsWith('db.')) return directUrlAt(connection, { host, port: 5432 }, SUPABASE, caveat)
  const match = /^(.+)\.([a-z0-9]{8,})$/.exec(connection.user ?? '')
  if (!match) return undefined
  const [, user, project] = match
  return directUrlAt(connection.with({ user }), { host: `db.${project}.supabase.co`, port: 5432 }, SUPABASE, caveat)
}
