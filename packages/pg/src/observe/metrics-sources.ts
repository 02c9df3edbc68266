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

/** Of a source that is labelled after its address, unless it has another name. */
export type SourceOptions = Omit<ScrapeOptions, 'source'> & { readonly source?: string | undefined }

/** For connecting, and for the answer. */
const PATIENCE_MILLIS = 5_000

/**
 * PostgreSQL's side of the connections, for a page of metrics: by state, the age of the oldest transaction, and what is left
 * of max_connections. Asked at most once per interval, by a connection that lasts for the look: a pool that is saturated
 * would not lend one just when the figures are needed.
 *
 * @param url of the server itself, as any role. The source is labelled after it: `db:5432/app`.
 * @throws {InvalidOptionError} for a URL that is not set; `ConnectionStringError` for a bad one.
 * @example
 * const server = postgresSource(process.env.DATABASE_URL)
 * const { contentType, body } = await renderPage(request.headers.accept, [server])
 */
export function postgresSource(url: string | undefined, options: SourceOptions = {}): ScrapedMetrics {
  const { client: config } = readConfig({ url })
  const ask = async () => {
    const client = new pg.Client({
      ...config,
      connectionTimeoutMillis: PATIENCE_MILLIS,
      query_timeout: PATIENCE_MILLIS,
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
  return new ScrapedMetrics(ask, { ...options, source: options.source ?? addressOf(url) })
}

/**
 * PgBouncer's figures under pgbouncer_exporter's names, through its console, with a connection that lasts for the look.
 *
 * @param url of PgBouncer, as a user in `stats_users` or `admin_users`. The source is labelled after it: `pgbouncer:6432/app`.
 * @throws {InvalidOptionError} for a URL that is not set; ConnectionStringError for a bad one.
 * @example
 * const pooler = pgBouncerSource(process.env.PGBOUNCER_STATS_URL)
 * const { contentType, body } = await renderPage(request.headers.accept, [pooler])
 */
export function pgBouncerSource(url: string | undefined, options: SourceOptions = {}): ScrapedMetrics {
  const target = readUrlOption(url)
  return new ScrapedMetrics(
    async () => {
      await using console = await PgBouncerConsole.connect(target.href)
      // One at a time: the console takes no more.
      const version = await console.version()
      const pools = await console.pools()
      const databases = await console.databases()
      const stats = await console.stats()
      return pgBouncerMetrics({ version, pools, databases, stats, config: await console.config() })
    },
    { ...options, source: options.source ?? addressOf(url) },
  )
}

/** Tells sources apart: host, port and database, without who asks. */
function addressOf(url: string | undefined): string {
  const { hosts, database } = normalizeTarget(readUrlOption(url))
  return `${hosts.map(({ host, port = 5432 }) => `${host}:${port}`).join()}/${database ?? ''}`
}
