import type { ConnectionString, HostAddress } from '../connection-string/index.ts'

/** What a provider's rule says stands at a host and port. */
export type AssumedEndpoint = 'direct' | 'transaction-pooler' | 'session-pooler' | 'pooler'

/** A rule by which a managed PostgreSQL is known from a host and a port. */
export interface ProviderRule {
  readonly provider: string
  /** Undefined if the address is none of this provider's. */
  readonly endpointAt: (address: Required<HostAddress>) => AssumedEndpoint | undefined
  /** The provider's page that says so. */
  readonly source: string
  /** What else is to be known of the endpoint. */
  readonly note?: string
  /** A client that names a statement gets a server connection of its own, as long as it lives. */
  readonly pinsNamedStatements?: true
  /** The URL past the pooler, where the provider has a rule for it. */
  readonly directUrl?: (connection: ConnectionString, address: Required<HostAddress>) => DirectUrl | undefined
}

/** The URL of a database past the pooler of its provider, made by the provider's rule, not tried. */
export interface DirectUrl {
  readonly url: ConnectionString
  readonly source: string
  /** What may stand in the way. */
  readonly caveat?: string
}

const NEON = 'https://neon.com/docs/connect/connection-pooling'
const SUPABASE = 'https://supabase.com/docs/guides/database/connecting-to-postgres'
const AZURE = 'https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-pgbouncer'
const ALIBABA =
  'https://www.alibabacloud.com/help/en/rds/apsaradb-rds-for-postgresql/use-pgbouncer-to-enable-or-disable-connection-pooling'
const PRISMA = 'https://www.prisma.io/docs/postgres/database/connecting-to-your-database'

/** In the order in which they are asked; the last knows only the port that PgBouncer listens on by default. */
export const PROVIDER_RULES: readonly ProviderRule[] = [
  {
    provider: 'Neon',
    source: NEON,
    endpointAt: ({ host }) =>
      host.endsWith('.neon.tech') ? (/^[^.]+-pooler\./.test(host) ? 'transaction-pooler' : 'direct') : undefined,
    directUrl: (connection, { host, port }) =>
      at(connection, { host: host.replace(/^([^.]+)-pooler\./, '$1.'), port }, NEON),
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
    note: 'a session that names statements or SETs something is pinned to its server connection: it works, but shares nothing any more',
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
    note: 'the built-in PgBouncer, by default in transaction mode with max_prepared_statements 0',
    endpointAt: ({ host, port }) =>
      host.endsWith('.postgres.database.azure.com') ? (port === 6432 ? 'transaction-pooler' : 'direct') : undefined,
    directUrl: (connection, { host }) => at(connection, { host, port: 5432 }, AZURE),
  },
  {
    provider: 'DigitalOcean',
    source: 'https://docs.digitalocean.com/products/databases/postgresql/how-to/manage-connection-pools/',
    note: "each pool has a mode of its own, by default transaction, and its name in the database's place, so that its URL does not tell the direct one (port 25060)",
    endpointAt: ({ host, port }) =>
      host.endsWith('.db.ondigitalocean.com') ? (port === 25061 ? 'transaction-pooler' : 'direct') : undefined,
  },
  {
    provider: 'Alibaba Cloud RDS',
    source: ALIBABA,
    note: 'both ports are defaults, which may have been changed',
    endpointAt: ({ host, port }) =>
      /\.pg(?:sql)?\./.test(host) && host.endsWith('rds.aliyuncs.com')
        ? port === 6432
          ? 'pooler'
          : 'direct'
        : undefined,
    directUrl: (connection, { host }) =>
      at(connection, { host, port: 5432 }, ALIBABA, 'the port of the database may have been changed from 5432'),
  },
  {
    provider: 'Prisma Postgres',
    source: PRISMA,
    endpointAt: ({ host }) =>
      host === 'pooled.db.prisma.io' ? 'transaction-pooler' : host === 'db.prisma.io' ? 'direct' : undefined,
    directUrl: (connection, { port }) => at(connection, { host: 'db.prisma.io', port }, PRISMA),
  },
  {
    provider: 'PgBouncer',
    source: 'https://www.pgbouncer.org/config.html#listen_port',
    note: '6432 is the port that PgBouncer listens on by default; nothing but a probe can tell more',
    endpointAt: ({ port }) => (port === 6432 ? 'pooler' : undefined),
  },
]

function at(
  connection: ConnectionString,
  { host, port }: Required<HostAddress>,
  source: string,
  caveat?: string,
): DirectUrl {
  const explicit = connection.hosts[0]?.port !== undefined || port !== 5432
  const url = connection.with({ hosts: [explicit ? { host, port } : { host }] }).without('pgbouncer')
  return { url, source, ...(caveat !== undefined && { caveat }) }
}

/** The shared pooler's user is `role.project`; the project's own host is named after it. */
function supabaseDirectUrl(connection: ConnectionString, { host }: Required<HostAddress>): DirectUrl | undefined {
  const caveat =
    'it is reached over IPv6 only, unless the project has the IPv4 add-on; else take port 5432 of the pooler, which is in session mode'
  if (host.startsWith('db.')) return at(connection, { host, port: 5432 }, SUPABASE, caveat)
  const match = /^(.+)\.([a-z0-9]{8,})$/.exec(connection.user ?? '')
  if (!match) return undefined
  const [, user, project] = match
  return at(connection.with({ user }), { host: `db.${project}.supabase.co`, port: 5432 }, SUPABASE, caveat)
}
