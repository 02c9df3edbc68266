import {
  AggregationTemporality,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { exportToOpenTelemetry, openTelemetryProducer, renderMetrics } from '@poolguard/core'
import { renderPage } from '@poolguard/core/web'
import { GuardedPool, observe as observePool, pgBouncerSource, postgresSource } from '@poolguard/pg'
import { observe as observeSql } from '@poolguard/postgres-js'
import pg from 'pg'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import { describeWithPgBouncer, pgBouncerVersions, startPgBouncer, startPostgres, waitUntil } from '../harness/index.ts'

/** The value of one series of a page. */
function seriesOf(body: Buffer, series: string): number | undefined {
  const line = body
    .toString()
    .split('\n')
    .find((each) => each.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

test("given a pool at work, then its page tells what PostgreSQL's own view tells", async () => {
  await using server = await startPostgres({ maxConnections: 20 })
  const pool = new GuardedPool({ url: server.url, name: 'orders', max: 4 })
  await pool.ready()
  const clients = await Promise.all(Array.from({ length: 3 }, () => pool.connect()))
  await clients[0]?.query('begin')
  await clients[0]?.query('select pg_sleep(0.6)')
  const waiting = [pool.connect(), pool.connect()]
  const isFull = async () => pool.waitingCount === 1 && (await server.connectionCount()) === 4
  await waitUntil(isFull, { what: 'four connections, and one caller that waits' })

  const source = postgresSource(server.adminUrl, { source: 'postgres' })
  const { body } = renderMetrics('', await source.read())
  const label = '{db_client_connection_pool_name="orders"'
  expect(seriesOf(body, `db_client_connection_count${label},db_client_connection_state="used"}`)).toBe(4)
  expect(seriesOf(body, `db_client_connection_pending_requests${label}}`)).toBe(1)
  expect(seriesOf(body, `db_client_connection_max${label}}`)).toBe(4)
  expect(seriesOf(body, 'poolguard_server_connections{source="postgres",state="idle in transaction"}')).toBe(1)
  expect(seriesOf(body, 'poolguard_server_connections{source="postgres",state="idle"}')).toBe(3)
  expect(seriesOf(body, 'poolguard_server_max_connections{source="postgres"}')).toBe(20)
  expect(seriesOf(body, 'poolguard_server_free_connections{source="postgres"}')).toBe(20 - 3 - 5)
  expect(
    seriesOf(body, 'poolguard_server_oldest_transaction_seconds{source="postgres",state="idle in transaction"}'),
  ).toBeGreaterThan(0.5)
  // The time of the query was no time without one.
  const inTransaction = 'poolguard_server_oldest_transaction_seconds{source="postgres",state="idle in transaction"}'
  const withoutQuery = 'poolguard_server_longest_idle_in_transaction_seconds{source="postgres"}'
  expect(Number(seriesOf(body, inTransaction)) - Number(seriesOf(body, withoutQuery))).toBeGreaterThan(0.5)
  expect(seriesOf(body, 'poolguard_source_up{source="postgres"}')).toBe(1)

  await clients[0]?.query('rollback')
  for (const client of clients) client.release()
  for (const client of await Promise.all(waiting)) client.release()
  await pool.end()
})

test('given a pool that is saturated, then the server still answers', async () => {
  await using server = await startPostgres({ maxConnections: 20 })
  const pool = new GuardedPool({ url: server.url, name: 'orders', max: 1 })
  await pool.ready()
  const client = await pool.connect()
  const waiting = pool.connect()
  const { body } = await renderPage('', [postgresSource(server.url, { source: 'postgres' })])
  expect(pool.waitingCount).toBe(1)
  expect(seriesOf(body, 'poolguard_source_up{source="postgres"}')).toBe(1)
  expect(seriesOf(body, 'poolguard_server_free_connections{source="postgres"}')).toBe(20 - 3 - 2)
  client.release()
  ;(await waiting).release()
  await pool.end()
  // It leaves nothing behind that would have to be closed.
  await waitUntil(async () => (await server.connectionCount()) === 0, { what: 'no connection is left' })
})

test('given a server that is full, then a role with reserved connections still gets the metrics', async () => {
  await using server = await startPostgres({ maxConnections: 8 })
  const clients = Array.from({ length: 5 }, () => new pg.Client(server.url))
  await Promise.all(clients.map((client) => client.connect()))
  const sources = [
    postgresSource(server.adminUrl, { source: 'reserved' }),
    postgresSource(server.url, { source: 'ordinary' }),
  ]
  const { body } = await renderPage('', sources)
  expect(seriesOf(body, 'poolguard_server_free_connections{source="reserved"}')).toBe(0)
  expect(seriesOf(body, 'poolguard_source_up{source="ordinary"}')).toBe(0)
  await Promise.all(clients.map((client) => client.end()))
})

test('given a query with parallel workers, then those take none of the connections that are left', async () => {
  await using server = await startPostgres({ maxConnections: 20 })
  const client = new pg.Client(server.adminUrl)
  await client.connect()
  // It was renamed in PostgreSQL 16.
  const names = ['debug_parallel_query', 'force_parallel_mode']
  await client.query("select set_config(name, 'on', false) from pg_settings where name = any($1)", [names])
  const sleeping = client.query('select pg_sleep(2)')
  const workers = async () =>
    (await server.query("select from pg_stat_activity where backend_type = 'parallel worker'")).length
  await waitUntil(async () => (await workers()) > 0, { what: 'a worker is at it' })

  const { body } = renderMetrics('', await postgresSource(server.adminUrl, { source: 'postgres' }).read())
  expect(await workers()).toBeGreaterThan(0)
  expect(seriesOf(body, 'poolguard_server_free_connections{source="postgres"}')).toBe(20 - 3 - 2)
  await sleeping
  await client.end()
})

test('given two servers, then each has series of its own', async () => {
  await using one = await startPostgres({ maxConnections: 20 })
  await using other = await startPostgres({ maxConnections: 30 })
  const families = await Promise.all([one, other].map((server) => postgresSource(server.url).read()))
  const { body } = renderMetrics('', families.flat())
  for (const [server, max] of [
    [one, 20],
    [other, 30],
  ] as const) {
    const { host, pathname } = new URL(server.url)
    expect(seriesOf(body, `poolguard_server_max_connections{source="${host}${pathname}"}`)).toBe(max)
  }
})

/** Both ways to OpenTelemetry, each with a reader and an exporter of its own. */
function startOpenTelemetry(): {
  readonly exporters: Readonly<Record<'instruments' | 'producer', InMemoryMetricExporter>>
  flush(): Promise<unknown>
  stop(): Promise<unknown>
} {
  const exporters = {
    instruments: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
    producer: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
  }
  const often = { exportIntervalMillis: 1_000_000 }
  const readers = [
    new PeriodicExportingMetricReader({ ...often, exporter: exporters.instruments }),
    new PeriodicExportingMetricReader({
      ...often,
      exporter: exporters.producer,
      metricProducers: [openTelemetryProducer()],
    }),
  ]
  const providers = readers.map((reader) => new MeterProvider({ readers: [reader] }))
  const stop = exportToOpenTelemetry((providers[0] as MeterProvider).getMeter('poolguard'))
  return {
    exporters,
    flush: () => Promise.all(readers.map((reader) => reader.forceFlush())),
    stop: () => {
      stop()
      return Promise.all(providers.map((provider) => provider.shutdown()))
    },
  }
}

test('given the same work, then OpenTelemetry has the same figures as Prometheus, through its API and through a reader', async () => {
  await using server = await startPostgres()
  const telemetry = startOpenTelemetry()
  const pools = ['one', 'two'].map((name) => new GuardedPool({ url: server.url, name, max: 2 }))
  await Promise.all(pools.map((pool) => pool.ready()))
  await Promise.all(pools.flatMap((pool) => Array.from({ length: 20 }, () => pool.query('select pg_sleep(0.001)'))))

  await telemetry.flush()
  const { body } = renderMetrics()
  const found = Object.values(telemetry.exporters).map((exporter) => pointsOf(exporter, 'one', 'two'))
  for (const points of found) {
    expect(points).toHaveLength(2 * (7 + 3 * (2 + 21)))
    for (const [series, value] of points) expect(seriesOf(body, series), series).toBeCloseTo(value, 9)
  }
  await telemetry.stop()
  await Promise.all(pools.map((pool) => pool.end()))
})

test('given both ways to OpenTelemetry, then they tell of the same nine metrics in the same words', async () => {
  await using server = await startPostgres()
  const telemetry = startOpenTelemetry()
  const pool = new GuardedPool({ url: server.url, name: 'closed and opened', max: 1 })
  await pool.query('select 1')
  await telemetry.flush()
  const told = Object.values(telemetry.exporters).map((exporter) => {
    const { scope, metrics = [] } = exporter.getMetrics()[0]?.scopeMetrics[0] ?? {}
    const kinds = metrics.map(({ descriptor: { name, unit, description, valueType }, dataPoints, ...kind }) => {
      const attributes = dataPoints
        .map((point) => point.attributes)
        .filter((each) => each['db.client.connection.pool.name'] === 'closed and opened')
      return { name, unit, description, valueType, ...kind, attributes }
    })
    return { scope: scope?.name, metrics: kinds.toSorted((a, b) => a.name.localeCompare(b.name)) }
  })
  expect(told[0]?.metrics).toHaveLength(9)
  expect(told[1]).toEqual(told[0])
  const [first] = telemetry.exporters.producer.getMetrics()[0]?.scopeMetrics[0]?.metrics[0]?.dataPoints ?? []
  expect(first?.startTime[0]).toBeLessThanOrEqual(Number(first?.endTime[0]))
  await telemetry.stop()
  await pool.end()
})

test('given pools of others that are observed, then OpenTelemetry has their figures as Prometheus does, too', async () => {
  await using server = await startPostgres()
  const telemetry = startOpenTelemetry()
  const pool = new pg.Pool({ connectionString: server.url, max: 2 })
  // Its end() does not wait for clients on their way out, which the server's end may overtake.
  pool.on('error', () => {})
  const sql = postgres(server.url, { max: 2 })
  const observations = [observePool(pool, { name: 'a pg.Pool' }), observeSql(sql, { name: 'a postgres()' })]
  await Promise.all(Array.from({ length: 20 }, () => [pool.query('select 1'), sql`select 1`]).flat())
  await sql.begin((transaction) => transaction`select 1`)

  await telemetry.flush()
  const { body } = renderMetrics()
  const points = pointsOf(telemetry.exporters.instruments, 'a pg.Pool', 'a postgres()')
  // All but how long opening takes, which neither tells.
  expect(points).toHaveLength(2 * (7 + 2 * (2 + 21)))
  for (const [series, value] of points) expect(seriesOf(body, series), series).toBeCloseTo(value, 9)
  const counts = points.filter(([series]) => series.includes('wait_time_seconds_count')).map(([, count]) => count)
  expect(counts.toSorted()).toEqual([20, 21])
  for (const observation of observations) observation.stop()
  await Promise.all([telemetry.stop(), pool.end(), sql.end()])
})

/** Samples of these pools only: the page also has the counts of closed pools. */
function pointsOf(exporter: InMemoryMetricExporter, ...pools: readonly string[]): (readonly [string, number])[] {
  const points = exporter.getMetrics().at(-1)?.scopeMetrics[0]?.metrics.flatMap(seriesOfMetric) ?? []
  return points.filter(([series]) => pools.some((pool) => series.includes(`pool_name="${pool}"`)))
}

/** The name of an OpenTelemetry metric on the page, and its value. */
function seriesOfMetric({ descriptor, dataPoints }: MetricData): (readonly [series: string, value: number])[] {
  const name = descriptor.name.replaceAll('.', '_')
  return dataPoints.flatMap(({ attributes, value }): (readonly [string, number])[] => {
    const labels = Object.entries(attributes).map(([key, text]) => `${key.replaceAll('.', '_')}="${text}"`)
    if (typeof value === 'number') {
      return [[`${name}${descriptor.name.endsWith('timeouts') ? '_total' : ''}{${labels.join()}}`, value]]
    }
    const { count, sum = 0, buckets } = value as Histogram
    const upTo = buckets.counts.map((_, i) => buckets.counts.slice(0, i + 1).reduce((all, each) => all + each, 0))
    const bounds = [...buckets.boundaries, '+Inf']
    return [
      ...bounds.map((le, i) => [`${name}_seconds_bucket{${labels.join()},le="${le}"}`, upTo[i] as number] as const),
      [`${name}_seconds_count{${labels.join()}}`, count],
      [`${name}_seconds_sum{${labels.join()}}`, sum],
    ]
  })
}

for (const version of pgBouncerVersions) {
  const describe = await describeWithPgBouncer(version)
  describe(`given PgBouncer ${version}`, () => {
    test("then its figures are on the page under pgbouncer_exporter's names", async () => {
      await using server = await startPostgres()
      await using pooler = await startPgBouncer({ version, upstream: server, settings: { default_pool_size: 2 } })
      const pool = new GuardedPool({ url: pooler.url, name: 'pooled', pooler: 'transaction', max: 3 })
      const sleeping = Promise.all(Array.from({ length: 3 }, () => pool.query('select pg_sleep(0.7)')))
      await waitUntil(async () => (await server.connectionCount()) === 2, { what: 'both servers are busy' })
      const source = pgBouncerSource(pooler.statsUrl, { source: 'pgbouncer', intervalMillis: 0 })
      const page = (await waitUntil(
        async () => {
          const { body } = renderMetrics('', await source.read())
          const waiting = seriesOf(
            body,
            'pgbouncer_pools_client_waiting_connections{source="pgbouncer",database="app",user="app"}',
          )
          return waiting === 1 ? body : undefined
        },
        { what: 'a client waits for a server' },
      )) as Buffer
      expect(
        seriesOf(page, 'pgbouncer_pools_server_active_connections{source="pgbouncer",database="app",user="app"}'),
      ).toBe(2)
      expect(seriesOf(page, 'pgbouncer_config_max_client_connections{source="pgbouncer"}')).toBe(100)
      expect(String(page)).toMatch(
        /^pgbouncer_databases_pool_size\{source="pgbouncer",name="app",.*pool_mode=".*"\} 2$/m,
      )
      expect(String(page)).toMatch(
        /^pgbouncer_stats_totals_queries_pooled_total\{source="pgbouncer",database="app"\} \d+$/m,
      )
      expect(String(page)).toContain(`pgbouncer_version_info{source="pgbouncer",version="${pooler.version}"} 1`)
      await sleeping
      await pool.end()

      await pooler.stop()
      const { body } = renderMetrics('', await source.read())
      expect(seriesOf(body, 'poolguard_source_up{source="pgbouncer"}')).toBe(0)
    })
  })
}
