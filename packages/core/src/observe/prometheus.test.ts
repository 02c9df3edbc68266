import { metrics } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { Gauge, type OpenMetricsContentType, Registry } from 'prom-client'
import { afterEach, describe, expect, test } from 'vitest'
import { DurationHistogram, type PoolStats } from '../pool/index.ts'
import { POOL_LABEL } from './metric.ts'
import { METRICS } from './metric-definitions.ts'
import { exportToOpenTelemetry } from './opentelemetry.ts'
import { openTelemetryProducer } from './opentelemetry-producer.ts'
import { renderMetrics } from './prometheus.ts'
import { registerMetrics } from './prometheus-registry.ts'
import { registerPool } from './registry.ts'
import { shedRequests } from './shed-requests.ts'
import { forgetClosedPools, observedPool } from './testing/observed-pool.ts'

const registered: (() => void)[] = []
afterEach(() => {
  for (const remove of registered.splice(0)) remove()
  forgetClosedPools()
})

function givenPool(name: string, stats: Partial<PoolStats> = {}): () => void {
  const remove = registerPool(observedPool(name, stats))
  registered.push(remove)
  return remove
}

function pageOf(accept?: string): string {
  return renderMetrics(accept).body.toString()
}

function lines(body: string | Buffer, beginning: string): string[] {
  return String(body)
    .split('\n')
    .filter((line) => line.startsWith(beginning))
}

describe('the metrics page', () => {
  test('without a pool is empty', () => {
    expect(pageOf()).toBe('')
    expect(pageOf('application/openmetrics-text')).toBe('# EOF\n')
  })

  test('has each metric once, with its help, type and series', () => {
    givenPool('orders')
    const { contentType, body } = renderMetrics('text/plain')

    expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(lines(body, '# TYPE')).toEqual(METRICS.map(({ name, type }) => `# TYPE ${name} ${type}`))
    expect(lines(body, 'db_client_connection_count')).toEqual([
      `db_client_connection_count{${POOL_LABEL}="orders",db_client_connection_state="idle"} 3`,
      `db_client_connection_count{${POOL_LABEL}="orders",db_client_connection_state="used"} 2`,
    ])
    expect(lines(body, 'poolguard_connect_failures_total')[0]).toBe(
      `poolguard_connect_failures_total{${POOL_LABEL}="orders",failure="full"} 3`,
    )
    expect(lines(body, 'db_client_connection_wait_time_seconds')).toEqual([
      ...['0.000125', '0.00025', '0.0005', '0.001', '0.002'].map((le) => bucket(le, 1)),
      ...['0.004', '0.008', '0.016', '0.032', '0.064', '0.128', '0.256', '0.512', '1.024', '2.048'].map((le) =>
        bucket(le, 2),
      ),
      ...['4.096', '8.192', '16.384', '32.768', '65.536', '+Inf'].map((le) => bucket(le, 2)),
      `db_client_connection_wait_time_seconds_sum{${POOL_LABEL}="orders"} 0.003`,
      `db_client_connection_wait_time_seconds_count{${POOL_LABEL}="orders"} 2`,
    ])
  })

  test('escapes names', () => {
    givenPool('a"b\\c\nd')
    expect(pageOf()).toContain(`{${POOL_LABEL}="a\\"b\\\\c\\nd"}`)
  })

  test('supports pool names in any script, on a page of any size', () => {
    for (let i = 0; i < 50; i++) givenPool(`Größe ☃ 池 😀 ${i}`)
    const body = pageOf()
    expect(lines(body, 'db_client_connection_max')).toEqual(
      Array.from({ length: 50 }, (_, i) => `db_client_connection_max{${POOL_LABEL}="Größe ☃ 池 😀 ${i}"} 10`),
    )
    expect(body.length).toBeGreaterThan(300_000)
  })

  test('shows shed requests once an adapter counts them', () => {
    expect(pageOf()).not.toContain('poolguard_requests_shed_total')
    shedRequests().count += 2
    expect(pageOf()).toContain('# TYPE poolguard_requests_shed_total counter\npoolguard_requests_shed_total 2\n')
  })

  test('of 1,000 pools is complete and in UTF-8', () => {
    const names = Array.from({ length: 1_000 }, (_, i) => `Mandant ${'ü東😀'.repeat(i % 7)} ${i}`)
    for (const name of names) givenPool(name)
    const first = renderMetrics().body
    const asText = first.toString()
    expect(lines(asText, 'db_client_connection_max{')).toEqual(
      names.map((name) => `db_client_connection_max{${POOL_LABEL}="${name}"} 10`),
    )
    expect(lines(asText, 'db_client_connection_use_time_seconds_count{')).toHaveLength(names.length)
    expect(asText.endsWith('\n')).toBe(true)
    // The next page must not overwrite a page that is still being sent.
    givenPool('another')
    expect(renderMetrics().body.length).toBeGreaterThan(first.length)
    expect(first.toString()).toBe(asText)
  })

  test('shows durations recorded since the previous page', () => {
    const wait = new DurationHistogram()
    registered.push(registerPool({ snapshot: () => observedPool('orders', { wait: wait.read() }).snapshot() }))
    const counted = () => lines(pageOf(), 'db_client_connection_wait_time_seconds_count')[0]?.replace(/.* /, '')
    expect(counted()).toBe('0')
    expect(counted()).toBe('0')
    wait.record(4)
    expect(counted()).toBe('1')
    const inOtherFormat = lines(pageOf('application/openmetrics-text'), 'db_client_connection_wait_time_seconds_sum')
    expect(inOtherFormat).toEqual([`db_client_connection_wait_time_seconds_sum{${POOL_LABEL}="orders"} 0.004`])
  })

  test('combines pools with the same name', () => {
    givenPool('orders')
    givenPool('orders', { longestLeaseMillis: 900 })
    givenPool('other')
    const body = pageOf()
    expect(lines(body, 'db_client_connection_max')).toEqual([
      `db_client_connection_max{${POOL_LABEL}="orders"} 20`,
      `db_client_connection_max{${POOL_LABEL}="other"} 10`,
    ])
    expect(lines(body, 'poolguard_longest_lease_seconds')[0]).toBe(
      `poolguard_longest_lease_seconds{${POOL_LABEL}="orders"} 0.9`,
    )
    expect(body).toContain(`db_client_connection_wait_time_seconds_count{${POOL_LABEL}="orders"} 4`)
  })

  test('keeps the counters of closed pools, but not their gauges', () => {
    const close = givenPool('orders')
    const closeOther = givenPool('orders', { timeouts: 2 })
    const counted = (name: string) => lines(pageOf(), `${name}{`).map((line) => line.replace(/.* /, ''))
    const names = METRICS.filter(({ type }) => type === 'counter').map(({ name }) => name)
    const before = names.map(counted)
    expect(counted('db_client_connection_timeouts_total')).toEqual(['9'])

    close()
    expect(names.map(counted)).toEqual(before)
    expect(counted('db_client_connection_wait_time_seconds_count')).toEqual(['4'])
    expect(counted('db_client_connection_max')).toEqual(['10'])
    closeOther()
    closeOther()
    expect(names.map(counted)).toEqual(before)
    expect(counted('db_client_connection_max')).toEqual([])
    givenPool('orders', { timeouts: 1 })
    expect(counted('db_client_connection_timeouts_total')).toEqual(['10'])
  })

  test('keeps the counters of at most 100 names', () => {
    for (let i = 0; i <= 100; i++) givenPool(`tenant ${i}`)()
    const body = pageOf()
    expect(body).not.toContain('"tenant 0"')
    expect(body).toContain('"tenant 1"')
    expect(lines(body, 'db_client_connection_timeouts_total')).toHaveLength(100)
  })

  test('limits the labels of pools that are opened and closed under one name, without losing counts', () => {
    const waits = (from: number, count: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, i) => [
          `job ${from + i}`,
          { count: 1, sumMillis: 8, buckets: [0, 0, 0, 0, 0, 0, 1] },
        ]),
      )
    const counted = () => lines(pageOf(), 'poolguard_labelled_acquires_total')
    const other = (count: number) => `poolguard_labelled_acquires_total{${POOL_LABEL}="jobs",label="other"} ${count}`
    for (const from of [0, 150, 300]) givenPool('jobs', { waitByLabel: waits(from, 150) })()
    expect(counted()).toHaveLength(201)
    expect(counted()).toContain(other(250))
    givenPool('jobs', { waitByLabel: { ...waits(0, 1), ...waits(450, 10) } })
    expect(counted()).toHaveLength(201)
    expect(counted()).toContain(other(260))
    expect(counted()).toContain(`poolguard_labelled_acquires_total{${POOL_LABEL}="jobs",label="job 0"} 2`)
  })

  test('is in the OpenMetrics format if the Accept header prefers it', () => {
    givenPool('orders')
    const { contentType, body } = renderMetrics('application/openmetrics-text;version=1.0.0,text/plain;q=0.5')
    expect(contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
    expect(String(body)).toContain('# TYPE db_client_connection_timeouts counter\n')
    expect(String(body)).toContain(`db_client_connection_timeouts_total{${POOL_LABEL}="orders"} 7\n`)
    expect(String(body).endsWith('\n# EOF\n')).toBe(true)
  })
})

function bucket(le: string, count: number): string {
  return `db_client_connection_wait_time_seconds_bucket{${POOL_LABEL}="orders",le="${le}"} ${count}`
}

describe('a prom-client registry', () => {
  test('shows the same metrics, until they are removed', async () => {
    givenPool('orders')
    givenPool('a"b')
    const registry = new Registry()
    const remove = registerMetrics(registry)
    const series = (text: string) =>
      text
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .sort()
    expect(series(await registry.metrics())).toEqual(series(pageOf()))
    expect(await registry.metrics()).toContain('poolguard_requests_shed_total 2')
    remove()
    expect(await registry.metrics()).toBe('\n')
  })

  test('reads each pool once for a page', async () => {
    let reads = 0
    const pool = observedPool('orders')
    registered.push(
      registerPool({
        snapshot() {
          reads++
          return pool.snapshot()
        },
      }),
    )
    const registry = new Registry()
    registerMetrics(registry)
    await registry.metrics()
    expect(reads).toBe(1)
    await registry.metrics()
    expect(reads).toBe(2)
  })

  test('stays unchanged if one of the names is already registered', async () => {
    const registry = new Registry()
    new Gauge({ name: 'poolguard_leaks_total', help: 'A metric of the app.', registers: [registry] })
    expect(() => registerMetrics(registry)).toThrow('poolguard_leaks_total')
    expect((await registry.getMetricsAsJSON()).map(({ name }) => name)).toEqual(['poolguard_leaks_total'])
  })

  test('shows counters in the OpenMetrics format', async () => {
    givenPool('orders')
    const registry = new Registry<OpenMetricsContentType>()
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
    registerMetrics(registry)
    for (let i = 0; i < 2; i++) {
      expect(await registry.metrics()).toContain(`db_client_connection_timeouts_total{${POOL_LABEL}="orders"} 7\n`)
    }
  })
})

describe("OpenTelemetry's instruments", () => {
  test('have the names, units and values of the semantic conventions', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000_000 })
    const provider = new MeterProvider({ readers: [reader] })
    givenPool('orders')
    givenPool('other', { idle: 0 })
    const stop = exportToOpenTelemetry(provider.getMeter('poolguard'))
    await reader.forceFlush()
    const found = exporter.getMetrics()[0]?.scopeMetrics[0]?.metrics ?? []

    const observed = METRICS.filter(({ convention, type }) => convention && type !== 'histogram')
    expect(found.map(({ descriptor: { name, unit } }) => ({ name, unit }))).toEqual(
      observed.map(({ convention }) => convention),
    )
    const count = found.find(({ descriptor }) => descriptor.name === 'db.client.connection.count')
    expect(count?.dataPoints.map(({ attributes, value }) => ({ attributes, value }))).toEqual(
      [
        ['orders', 'idle', 3],
        ['orders', 'used', 2],
        ['other', 'idle', 0],
        ['other', 'used', 2],
      ].map(([pool, state, value]) => ({
        attributes: { 'db.client.connection.pool.name': pool, 'db.client.connection.state': state },
        value,
      })),
    )
    stop()
    await provider.shutdown()
    metrics.disable()
  })

  test('from a producer: none without pools, nine with a pool', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const metricProducers = [openTelemetryProducer()]
    const reader = new PeriodicExportingMetricReader({ exporter, metricProducers, exportIntervalMillis: 1_000_000 })
    const provider = new MeterProvider({ readers: [reader] })
    const collect = async () => {
      await reader.forceFlush()
      return exporter
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap((scope) => scope.metrics)
    }
    expect(await collect()).toEqual([])
    givenPool('orders')
    expect(await collect()).toHaveLength(9)
    await provider.shutdown()
  })
})
