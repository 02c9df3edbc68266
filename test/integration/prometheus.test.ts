import { renderMetrics } from '@poolguard/core'
import { alertRules, grafanaDashboard } from '@poolguard/core/dashboards'
import { rulesText } from '@poolguard/observability'
import { pgBouncerSource, postgresSource } from '@poolguard/pg'
import type { FastifyInstance } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import {
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
import { AT_THE_GATE, appWith, closeGate, saturated } from './fastify-app.ts'

/** The rules as they are shipped, less patient. */
const impatient = rulesText(alertRules().map((rule) => ({ ...rule, for: rule.for === '0s' ? '0s' : '1s' })))

/** An app whose pool goes through PgBouncer, with a second page that tells what PostgreSQL and PgBouncer say. */
async function startApp(server: PostgresServer, pooler: PgBouncerServer): Promise<FastifyInstance> {
  const app = appWith({
    pool: { url: pooler.url, name: 'orders', pooler: 'transaction', max: 2 },
    metrics: true,
    labels: true,
    shedLoad: { waiters: 1_000 },
  })
  const sources = [
    postgresSource(server.adminUrl, { intervalMillis: 200 }),
    pgBouncerSource(pooler.statsUrl, { intervalMillis: 200 }),
  ]
  app.get('/orders/:id', async () => (await app.poolguard.pool.query(AT_THE_GATE)).rows)
  app.get('/sources', async (request, reply) => {
    const families = await Promise.all(sources.map((source) => source.read()))
    const { contentType, body } = renderMetrics(request.headers.accept, families.flat())
    return reply.type(contentType).send(body)
  })
  return app
}

/** What Grafana makes of it. */
function withoutVariables(expr: string): string {
  return expr.replaceAll('$pool', '.*').replaceAll('$__rate_interval', '1m')
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
      const app = await startApp(server, pooler)
      const address = await app.listen({ host: '127.0.0.1', port: 0 })
      const target = new URL(address).host
      const starting = startPrometheus({
        jobs: [
          { name: 'app', target, path: '/metrics' },
          // Of this page only what the other one does not have.
          { name: 'sources', target, path: '/sources', only: 'poolguard_(server|source)_.*|pgbouncer_.*' },
        ],
        rules: impatient,
      })
      await app.poolguard.pool.ready()
      const gate = await closeGate(server)
      const requests = Array.from({ length: 27 }, (_, id) => fetch(`${address}/orders/${id}`))
      await saturated(app, 2, 25)
      await using prometheus = await starting

      const seen = new Set<string>()
      const isFiring = async () => {
        const state = await stateOf(prometheus, 'PoolguardCallersWaiting', 'critical')
        seen.add(state)
        return state === 'firing'
      }
      await waitUntil(isFiring, { what: 'the alert fires' })
      expect([...seen].filter((state) => state !== 'inactive')).toEqual(['pending', 'firing'])
      const told = (await prometheus.alerts()).find(
        ({ state, labels }) => state === 'firing' && labels.severity === 'critical',
      )
      expect(told).toMatchObject({
        labels: { alertname: 'PoolguardCallersWaiting', db_client_connection_pool_name: 'orders', instance: target },
        annotations: { summary: `25 callers wait for a connection of pool orders of ${target}` },
      })

      await gate.open()
      expect((await Promise.all(requests)).map(({ status }) => status)).toEqual(Array(27).fill(200))
      await waitUntil(async () => (await stateOf(prometheus, 'PoolguardCallersWaiting', 'critical')) === 'inactive', {
        what: 'the alert has recovered',
      })

      const queries = grafanaDashboard().panels.flatMap(({ title, targets = [] }) =>
        targets.map(({ expr }) => ({ title, expr: withoutVariables(expr) })),
      )
      const answers = await Promise.all(
        queries.map(async ({ title, expr }) => ({ title, expr, found: (await prometheus.query(expr)).length })),
      )
      expect(answers.length).toBeGreaterThan(50)
      // Of no fleet there is nothing to see.
      const empty = answers.filter(({ found, expr }) => found === 0 && !expr.includes('poolguard_fleet_'))
      expect(empty).toEqual([])
      const acquired = await prometheus.query('sum by (label) (poolguard_labelled_acquires_total)')
      expect(acquired).toContainEqual({ metric: { label: 'GET /orders/:id' }, value: 27 })
    })
  })
})
