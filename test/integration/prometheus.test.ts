import { alertRules, grafanaDashboard } from '@poolguard/core/dashboards'
import { rulesText } from '@poolguard/observability'
import { pgBouncerSource, postgresSource } from '@poolguard/pg'
import type { FastifyInstance } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import {
  checkMetrics,
  describeWithPgBouncer,
  describeWithPrometheus,
  type PgBouncerServer,
  type PostgresServer,
  type PrometheusServer,
  startPgBouncer,
  startPostgres,
  startPrometheus,
  waitUntil,
} from '../harness/index.ts'
import { appWith, saturated } from './fastify-app.ts'
import { AT_THE_GATE, closeGate } from './gate.ts'

/** The rules as they are shipped, less patient. */
const impatient = rulesText(alertRules().map((rule) => ({ ...rule, for: rule.for === '0s' ? '0s' : '1s' })))

/** An app whose pool goes through PgBouncer; its page has what PostgreSQL and PgBouncer say, too. */
function startApp(server: PostgresServer, pooler: PgBouncerServer): FastifyInstance {
  const sources = [
    postgresSource(server.adminUrl, { intervalMillis: 200 }),
    pgBouncerSource(pooler.statsUrl, { intervalMillis: 200 }),
  ]
  const app = appWith({
    pool: { url: pooler.url, name: 'orders', pooler: 'transaction', max: 2, lanes: { jobs: {} } },
    metrics: { sources },
    labels: true,
    shedLoad: { waiters: 1_000 },
  })
  app.get('/orders/:id', async () => (await app.poolguard.pool.query(AT_THE_GATE)).rows)
  return app
}

const PATIENCE = { timeout: 60_000, interval: 200 }

/** What Grafana makes of it. */
function withoutVariables(expr: string): string {
  return expr.replaceAll(/\$(?:job|instance|pool)\b/g, '.*').replaceAll('$__rate_interval', '1m')
}

function addressOf(url: string): string {
  const { host, pathname } = new URL(url)
  return `${host}${pathname}`
}

async function stateOf(prometheus: PrometheusServer, name: string, severity: string): Promise<string> {
  const alerts = await prometheus.alerts()
  return alerts.find(({ labels }) => labels.alertname === name && labels.severity === severity)?.state ?? 'inactive'
}

const [describe, describePooled] = await Promise.all([describeWithPrometheus(), describeWithPgBouncer('1.24')])
describe('given Prometheus, which scrapes an app', () => {
  describePooled('with PgBouncer behind it', () => {
    test('when its pool is saturated, then the alert goes off and recovers, and the dashboard has figures', async () => {
      const server = await startPostgres({ maxConnections: 20 })
      onTestFinished(() => server.stop())
      const pooler = await startPgBouncer({ version: '1.24', upstream: server })
      onTestFinished(() => pooler.stop())
      const app = startApp(server, pooler)
      const address = await app.listen({ host: '127.0.0.1', port: 0 })
      const target = new URL(address).host
      const starting = startPrometheus({
        jobs: [{ name: 'app', target, path: '/metrics' }],
        rules: impatient,
        // In which a page has to be answered that asks PostgreSQL and PgBouncer.
        intervalMillis: 500,
      })
      await app.poolguard.pool.ready()
      const gate = await closeGate(server)
      const requests = Array.from({ length: 27 }, (_, id) => fetch(`${address}/orders/${id}`))
      await saturated(app, 2, 25)
      await using prometheus = await starting

      const state = () => stateOf(prometheus, 'PoolguardCallersWaiting', 'critical')
      await waitUntil(async () => (await state()) === 'firing', { what: 'the alert fires' })
      // As Prometheus itself remembers it: who asks now and then may miss the second in which it was pending.
      const pending = `ALERTS{alertname="PoolguardCallersWaiting",severity="critical",alertstate="pending"}`
      expect(await prometheus.query(`count_over_time(${pending}[5m])`)).toHaveLength(1)
      const told = (await prometheus.alerts()).find(
        ({ state, labels }) =>
          state === 'firing' && labels.severity === 'critical' && labels.alertname === 'PoolguardCallersWaiting',
      )
      expect(told).toMatchObject({
        labels: { alertname: 'PoolguardCallersWaiting', db_client_connection_pool_name: 'orders', instance: target },
        annotations: { summary: `25 callers wait for a connection of pool orders of ${target}` },
      })

      // So the conventions of OpenTelemetry call it.
      expect(await checkMetrics(await (await fetch(`${address}/metrics`)).text())).toEqual([
        'db_client_connection_count non-histogram and non-summary metrics should not have "_count" suffix',
      ])

      await gate.open()
      expect((await Promise.all(requests)).map(({ status }) => status)).toEqual(Array(27).fill(200))
      await waitUntil(async () => (await state()) === 'inactive', { what: 'the alert has recovered' })

      const queries = grafanaDashboard().panels.flatMap(({ title, targets = [] }) =>
        targets.map(({ expr }) => ({ title, expr: withoutVariables(expr) })),
      )
      expect(queries.length).toBeGreaterThan(50)
      const empty = async () => {
        const answers = await Promise.all(
          queries.map(async ({ title, expr }) => ({ title, expr, found: (await prometheus.query(expr)).length })),
        )
        // There is no fleet, no replica, no adaptive limit, and no SQLite.
        return answers.filter(
          ({ found, expr }) => found === 0 && !/poolguard_(?:adaptive|fleet|reads_on|replica|wal)_/.test(expr),
        )
      }
      // A scrape that came too late leaves a moment without figures.
      await expect.poll(empty, PATIENCE).toEqual([])
      const servers = async () => {
        const found = await prometheus.query('count by (source) (poolguard_source_up == 1)')
        return found.map(({ metric, value }) => [metric.source, value]).toSorted()
      }
      await expect
        .poll(servers, PATIENCE)
        .toEqual([addressOf(server.adminUrl), addressOf(pooler.statsUrl)].map((source) => [source, 1]).toSorted())
      await expect
        .poll(() => prometheus.query('sum by (label) (poolguard_labelled_acquires_total)'), PATIENCE)
        .toContainEqual({ metric: { label: 'GET /orders/:id' }, value: 27 })
    })
  })
})
