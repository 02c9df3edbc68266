/** Queries behind the metrics of PostgreSQL and PgBouncer. Loaded with the first scrape: most processes never run one. */
import { ACTIVITY_QUERY, pgBouncerMetrics, postgresMetrics } from '@poolguard/core/postgres'
import pg from 'pg'
import { containParserErrors } from '../connection/contain-parser-errors.ts'
import { PgBouncerConsole } from '../connection/pgbouncer-console.ts'
import { requireChannelBinding } from '../connection/require-channel-binding.ts'
import type { GuardedPoolConfig } from '../guarded-pool-config.ts'
import type { WireClient } from '../wire-client.ts'

/** Timeout for connecting and for the query. */
const SCRAPE_TIMEOUT_MILLIS = 5_000

/** Queries a server's sessions on a connection of its own. */
export async function scrapePostgres(config: GuardedPoolConfig): Promise<ReturnType<typeof postgresMetrics>> {
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
    return postgresMetrics((await client.query(ACTIVITY_QUERY)).rows)
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
