import { appDatabase, type ConnectionTarget, connectionUrl, superuser } from '../credentials.ts'
import type { PostgresServer } from '../postgres-server.ts'
import { queryOnce } from '../query-once.ts'

type Queries = Pick<PostgresServer, 'url' | 'adminUrl' | 'urlFor' | 'query' | 'connectionCount'>

/** What every backend's server offers in the same way: nothing but its address is needed. */
export function postgresQueries(address: { readonly host: string; readonly port: number }): Queries {
  const adminUrl = connectionUrl(address, superuser)
  return {
    url: connectionUrl(address),
    adminUrl,
    urlFor: (target?: ConnectionTarget) => connectionUrl(address, target),
    query: (sql, params) => queryOnce(adminUrl, sql, params),
    async connectionCount() {
      const rows = await queryOnce<{ count: number }>(
        adminUrl,
        `SELECT count(*)::int AS count FROM pg_stat_activity
         WHERE datname = '${appDatabase}' AND backend_type = 'client backend' AND pid <> pg_backend_pid()`,
      )
      return rows[0]?.count ?? 0
    },
  }
}
