import type { ScrapeOptions } from '@poolguard/core'
import { normalizeTarget, readUrlOption, ScrapedMetrics } from '@poolguard/core/adapter'
import { readConfig } from '../guarded-pool-config.ts'

/** Options of a metrics source. `source` is its label; the default is host, port and database of the URL. */
export type SourceOptions = Omit<ScrapeOptions, 'source'> & { readonly source?: string | undefined }

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
  return new ScrapedMetrics(
    async () => (await loadScrape()).scrapePostgres(config),
    { ...options, source: options.source ?? addressOf(url) },
    {
      report: async () => (await loadScrape()).reportPostgres(config),
      terminate: async (session) => (await loadScrape()).terminateSession(config, session),
    },
  )
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
    async () => (await loadScrape()).scrapePgBouncer(target.href),
    { ...options, source: options.source ?? addressOf(url) },
    { report: async () => (await loadScrape()).reportPgBouncer(target.href) },
  )
}

function loadScrape(): Promise<typeof import('./scrape.ts')> {
  return import('./scrape.ts')
}

/** Host, port and database, without the user. */
function addressOf(url: string | undefined): string {
  const { hosts, database } = normalizeTarget(readUrlOption(url))
  return `${hosts.map(({ host, port = 5432 }) => `${host}:${port}`).join()}/${database ?? ''}`
}
