/** Queries behind the metrics of PostgreSQL and PgBouncer. Loaded with the first scrape: most processes never run one. */
import type { PoolerReport, ServerReport } from '@poolguard/core'
import {
  ACTIVITY_QUERY,
  APPLICATIONS_QUERY,
  LOCKS_QUERY,
  pgBouncerMetrics,
  postgresMetrics,
  serverReport,
  TERMINATE_QUERY,
} from '@poolguard/core/postgres'
import pg from 'pg'
import { containParserErrors } from '../connection/contain-parser-errors.ts'
import { PgBouncerConsole } from '../connection/pgbouncer-console.ts'
import { requireChannelBinding } from '../connection/require-channel-binding.ts'
import type { GuardedPoolConfig } from '../guarded-pool-config.ts'
import type { WireClient } from '../wire-client.ts'

/** Timeout for connecting and for the query. */
const SCRAPE_TIMEOUT_MILLIS = 5_000

/** Counts a server's sessions on a connection of its own. */
export function scrapePostgres(config: GuardedPoolConfig): Promise<ReturnType<typeof postgresMetrics>> {
  return withClient(config, async (client) => postgresMetrics((await client.query(ACTIVITY_QUERY)).rows))
}

/** Reads who uses a server's connections and which sessions block others, on a connection of its own. */
export function reportPostgres(config: GuardedPoolConfig): Promise<ServerReport> {
  return withClient(config, async (client) => {
    const applications = await client.query(APPLICATIONS_QUERY)
    const locks = await client.query(LOCKS_QUERY)
    return serverReport(applications.rows, locks.rows)
  })
}

/** Ends a session on a connection of its own: false if it has ended already. Rejects with the server's error, 42501 without the right. */
export function terminateSession(
  config: GuardedPoolConfig,
  { pid, startedAt }: { readonly pid: number; readonly startedAt: string },
): Promise<boolean> {
  return withClient(config, async (client) => {
    const { rows } = await client.query(TERMINATE_QUERY, [pid, startedAt])
    return rows[0]?.terminated === true
  })
}

async function withClient<T>(config: GuardedPoolConfig, read: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    ...(config as pg.ClientConfig),
    connectionTimeoutMillis: SCRAPE_TIMEOUT_MILLIS,
    query_timeout: SCRAPE_TIMEOUT_MILLIS,
  })
  const { connection } = client as unknown as WireClient
  containParserErrors(connection)
  if (config.channelBinding === 'require') requireChannelBinding(connection)
  client.on('error', () => {})
  try {
    await client.connect()
    return await read(client)
  } finally {
    await client.end()
  }
}

/** Reads the figures of a PgBouncer from its admin console. */
export async function scrapePgBouncer(url: string): Promise<ReturnType<typeof pgBouncerMetrics>> {
  await using console = await PgBouncerConsole.connect(url)
  // One after another: the console accepts one command at a time.
  const version = await console.version()
  const pools = await console.pools()
  const databases = await console.databases()
  const stats = await console.stats()
  return pgBouncerMetrics({ version, pools, databases, stats, config: await console.config() })
}

/** Reads the pools of a PgBouncer from its admin console. */
export async function reportPgBouncer(url: string): Promise<PoolerReport> {
  await using console = await PgBouncerConsole.connect(url)
  const version = await console.version()
  return { kind: 'pooler', version, pools: await console.pools() }
}
