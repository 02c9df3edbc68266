import {
  ACTIVITY_QUERY,
  type ActivityRow,
  pgBouncerMetrics,
  postgresMetrics,
  ScrapedMetrics,
  type ScrapeOptions,
} from '@poolguard/core'
import type { QueryConfig } from 'pg'
import { PgBouncerConsole } from './pgbouncer-console.ts'

interface Queryable {
  query(query: QueryConfig & { query_timeout: number }): Promise<{ rows: unknown[] }>
}

/** So that a server that does not answer gives the connection back; pg closes it then. */
const QUERY_MILLIS = 5_000

/**
 * PostgreSQL's side of the connections, for a page of metrics: by state, the age of the oldest transaction, and what is left
 * of max_connections. Asked through a pool, at most once per interval.
 *
 * @example
 * const server = postgresSource(pool)
 * const { contentType, body } = renderMetrics(request.headers.accept, await server.read())
 */
export function postgresSource(pool: Queryable, options: Partial<ScrapeOptions> = {}): ScrapedMetrics {
  const ask = async () => {
    const { rows } = await pool.query({ text: ACTIVITY_QUERY, query_timeout: QUERY_MILLIS })
    return postgresMetrics(rows as ActivityRow[])
  }
  return new ScrapedMetrics(ask, { source: 'postgres', ...options })
}

/**
 * PgBouncer's figures under pgbouncer_exporter's names, through its console, with a connection that lasts for the look.
 *
 * @param url of PgBouncer, as a user in `stats_users` or `admin_users`.
 * @example
 * const pooler = pgBouncerSource('postgresql://stats:secret@localhost:6432')
 * const { contentType, body } = renderMetrics(request.headers.accept, await pooler.read())
 */
export function pgBouncerSource(url: string, options: Partial<ScrapeOptions> = {}): ScrapedMetrics {
  return new ScrapedMetrics(
    async () => {
      await using console = await PgBouncerConsole.connect(url)
      // One at a time: the console takes no more.
      const version = await console.version()
      const pools = await console.pools()
      const databases = await console.databases()
      const stats = await console.stats()
      return pgBouncerMetrics({ version, pools, databases, stats, config: await console.config() })
    },
    { source: 'pgbouncer', ...options },
  )
}
