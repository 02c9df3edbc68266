import type { ScrapeOptions } from '@poolguard/core'
import {
  ACTIVITY_QUERY,
  pgBouncerMetrics,
  postgresMetrics,
  readUrlOption,
  ScrapedMetrics,
} from '@poolguard/core/adapter'
import { normalizeTarget } from '@poolguard/core/postgres'
import pg from 'pg'
import { containParserErrors } from '../connection/contain-parser-errors.ts'
import { PgBouncerConsole } from '../connection/pgbouncer-console.ts'
import { readConfig } from '../guarded-pool-config.ts'
import type { WireClient } from '../wire-client.ts'

/** Options of a metrics source. `source` is its label; the default is host, port and database of the URL. */
export type SourceOptions = Omit<ScrapeOptions, 'source'> & { readonly source?: string | undefined }

/** Timeout for connecting and for the query. */
const SCRAPE_TIMEOUT_MILLIS = 5_000

/**
 * Metrics of PostgreSQL's connections: sessions by state, the age of the oldest transaction, and how much of max_connections is left.
 * Queries the server at most once per interval, each time on a connection of its own: a saturated pool could not provide one exactly
 * when you need the metrics.
 *
 * @param url of the server, with any role. The label of the source is derived from it: `db:5432/app`.
 * @throws {InvalidOptionError} if the URL is not set; `ConnectionStringError` for a bad one.
 * @example
 * const server = postgresSource(process.env.DATABASE_URL)
 * const { contentType, body } = await renderPage(request.headers.accept, [server])
 */
export function postgresSource(url: string | undefined, options: SourceOptions = {}): ScrapedMetrics {
  const { client: config } = readConfig({ url })
  const scrape = async () => {
    const client = new pg.Client({
      ...config,
      connectionTimeoutMillis: SCRAPE_TIMEOUT_MILLIS,
      query_timeout: SCRAPE_TIMEOUT_MILLIS,
    })
    containParserErrors((client as unknown as WireClient).connection)
    client.on('error', () => {})
    try {
      await client.connect()
      return postgresMetrics((await client.query(ACTIVITY_QUERY)).rows)
    } finally {
      await client.end()
    }
  }
  return new ScrapedMetrics(scrape, { ...options, source: options.source ?? addressOf(url) })
}

/**
 * Metrics of PgBouncer, read from its admin console on a new connection each time, with the metric names of pgbouncer_exporter.
 *
 * @param url of PgBouncer, with a user in `stats_users` or `admin_users`. The label of the source is derived from it: `pgbouncer:6432/app`.
 * @throws {InvalidOptionError} if the URL is not set; `ConnectionStringError` for a bad one.
 * @example
 * const pooler = pgBouncerSource(process.env.PGBOUNCER_STATS_URL)
 * const { contentType, body } = await renderPage(request.headers.accept, [pooler])
 */
export function pgBouncerSource(url: string | undefined, options: SourceOptions = {}): ScrapedMetrics {
  const target = readUrlOption(url)
  return new ScrapedMetrics(
    async () => {
      await using console = await PgBouncerConsole.connect(target.href)
      // One after another: the console accepts one command at a time.
      const version = await console.version()
      const pools = await console.pools()
      const databases = await console.databases()
      const stats = await console.stats()
      return pgBouncerMetrics({ version, pools, databases, stats, config: await console.config() })
    },
    { ...options, source: options.source ?? addressOf(url) },
  )
}

/** Host, port and database, without the user. */
function addressOf(url: string | undefined): string {
  const { hosts, database } = normalizeTarget(readUrlOption(url))
  return `${hosts.map(({ host, port = 5432 }) => `${host}:${port}`).join()}/${database ?? ''}`
}
