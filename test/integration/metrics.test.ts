import { renderMetrics } from '@poolguard/core'
import { GuardedPool, pgBouncerSource, postgresSource } from '@poolguard/pg'
import pg from 'pg'
import { expect, test } from 'vitest'
import { describeWithPgBouncer, pgBouncerVersions, startPgBouncer, startPostgres, waitUntil } from '../harness/index.ts'

/** The value of one series of a page. */
function valueOf(body: string, series: string): number | undefined {
  const line = body.split('\n').find((each) => each.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

test("given a pool at work, then its page tells what PostgreSQL's own view tells", async () => {
  await using server = await startPostgres({ maxConnections: 20 })
  const pool = new GuardedPool({ url: server.url, name: 'orders', max: 4 })
  await pool.ready()
  const clients = await Promise.all(Array.from({ length: 3 }, () => pool.connect()))
  await clients[0]?.query('begin')
  const waiting = [pool.connect(), pool.connect()]
  await waitUntil(() => pool.waitingCount === 1, { what: 'one caller waits' })

  expect(await server.connectionCount()).toBe(4)
  const admin = new pg.Client(server.adminUrl)
  await admin.connect()
  const source = postgresSource(admin)
  const { body } = renderMetrics('', await source.read())
  const label = '{db_client_connection_pool_name="orders"'
  expect(valueOf(body, `db_client_connection_count${label},db_client_connection_state="used"}`)).toBe(4)
  expect(valueOf(body, `db_client_connection_pending_requests${label}}`)).toBe(1)
  expect(valueOf(body, `db_client_connection_max${label}}`)).toBe(4)
  expect(valueOf(body, 'poolguard_server_connections{state="idle in transaction"}')).toBe(1)
  expect(valueOf(body, 'poolguard_server_connections{state="idle"}')).toBe(3)
  expect(valueOf(body, 'poolguard_server_max_connections')).toBe(20)
  expect(valueOf(body, 'poolguard_server_free_connections')).toBe(20 - 3 - 5)
  expect(valueOf(body, 'poolguard_server_oldest_transaction_seconds{state="idle in transaction"}')).toBeGreaterThan(0)
  expect(valueOf(body, 'poolguard_source_up{source="postgres"}')).toBe(1)

  await clients[0]?.query('rollback')
  for (const client of clients) client.release()
  for (const client of await Promise.all(waiting)) client.release()
  await pool.end()
  await admin.end()
})

for (const version of pgBouncerVersions) {
  const describe = await describeWithPgBouncer(version)
  describe(`given PgBouncer ${version}`, () => {
    test("then its figures are on the page under pgbouncer_exporter's names", async () => {
      await using server = await startPostgres()
      await using pooler = await startPgBouncer({ version, upstream: server, settings: { default_pool_size: 2 } })
      const pool = new GuardedPool({ url: pooler.url, name: 'pooled', pooler: 'transaction', max: 3 })
      const sleeping = Promise.all(Array.from({ length: 3 }, () => pool.query('select pg_sleep(0.7)')))
      await waitUntil(async () => (await server.connectionCount()) === 2, { what: 'both servers are busy' })
      const source = pgBouncerSource(pooler.statsUrl, { intervalMillis: 0 })
      const page = await waitUntil(
        async () => {
          const { body } = renderMetrics('', await source.read())
          const waiting = valueOf(body, 'pgbouncer_pools_client_waiting_connections{database="app",user="app"}')
          return waiting === 1 ? body : undefined
        },
        { what: 'a client waits for a server' },
      )
      expect(valueOf(page, 'pgbouncer_pools_server_active_connections{database="app",user="app"}')).toBe(2)
      expect(valueOf(page, 'pgbouncer_config_max_client_connections')).toBe(100)
      expect(page).toMatch(/^pgbouncer_databases_pool_size\{name="app",.*pool_mode=".*"\} 2$/m)
      expect(page).toMatch(/^pgbouncer_stats_totals_queries_pooled_total\{database="app"\} \d+$/m)
      expect(page).toContain(`pgbouncer_version_info{version="${pooler.version}"} 1`)
      await sleeping
      await pool.end()

      await pooler.stop()
      const { body } = renderMetrics('', await source.read())
      expect(valueOf(body, 'poolguard_source_up{source="pgbouncer"}')).toBe(0)
    })
  })
}
