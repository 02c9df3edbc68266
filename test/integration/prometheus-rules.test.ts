import { readFileSync } from 'node:fs'
import path from 'node:path'
import { alertRules } from '@poolguard/core/dashboards'
import { observabilityFiles } from '@poolguard/observability'
import { expect, test } from 'vitest'
import { checkRules, describeWithPrometheus, testRules } from '../harness/index.ts'

const files = observabilityFiles()
const rules = files['prometheus/poolguard.rules.yml'] as string

test.each(Object.entries(files))('%s is what `pnpm generate:observability` makes', (name, text) => {
  expect(readFileSync(path.join(import.meta.dirname, '../../observability', name), 'utf8')).toBe(text)
})

test('the README has every alert, under its severities', () => {
  const readme = readFileSync(path.join(import.meta.dirname, '../../observability/README.md'), 'utf8')
  const listed = [...readme.matchAll(/^\| `(Poolguard\w+)` *\|([^|]*)\|([^|]*)\|/gm)].flatMap(
    ([, name, warning, critical]) => [
      ...(warning?.trim() ? [`${name} warning`] : []),
      ...(critical?.trim() ? [`${name} critical`] : []),
    ],
  )
  expect(listed).toEqual(alertRules().map(({ name, labels }) => `${name} ${labels.severity}`))
})

/** Values by series, four a minute, in promtool's notation: `0+3x80` is 0, 3, 6... */
type Series = Readonly<Record<string, string>>

const POOL = 'db_client_connection_pool_name="orders",job="app",instance="a:3000"'
const SERVER = 'source="postgres",job="app"'
const EXPORTER = 'job="pooler",instance="bouncer:9127"'
const PGBOUNCER = 'source="pgbouncer",job="app",instance="a:3000",database="app",user="app"'

/** Of ten connections, four times a minute. */
function inUse(connections: number): Series {
  return {
    [`poolguard_use_seconds_total{${POOL}}`]: `0+${connections * 15}x80`,
    [`poolguard_capacity_seconds_total{${POOL}}`]: '0+150x80',
  }
}

function waiters(count: number): Series {
  return { [`db_client_connection_pending_requests{${POOL}}`]: `${count}x80` }
}

/** A hundred checkouts a minute. */
function waits(seconds: number): Series {
  return {
    [`db_client_connection_wait_time_seconds_sum{${POOL}}`]: `0+${seconds * 25}x80`,
    [`db_client_connection_wait_time_seconds_count{${POOL}}`]: '0+25x80',
  }
}

function connecting({ failed, opened }: { failed: string; opened: string }): Series {
  return {
    [`poolguard_connect_failures_total{${POOL},failure="full"}`]: failed,
    [`poolguard_connect_failures_total{${POOL},failure="permanent"}`]: '0x80',
    [`poolguard_connections_opened_total{${POOL}}`]: opened,
  }
}

function counted(name: string, labels = POOL): { firing: Series; silent: Series } {
  return { firing: { [`${name}{${labels}}`]: '3x60 4x20' }, silent: { [`${name}{${labels}}`]: '3x80' } }
}

function leaks(count: string, out: string): Series {
  return { [`poolguard_leaks_total{${POOL}}`]: count, [`poolguard_suspected_leases{${POOL}}`]: out }
}

/** @param megabytes of 64 that it may have */
function wal(megabytes: number): Series {
  return { [`poolguard_wal_bytes{${POOL}}`]: `${megabytes}x80`, [`poolguard_wal_max_bytes{${POOL}}`]: '64x80' }
}

/** As two instances tell it. */
function room(free: number): Series {
  const both = (name: string, value: number) =>
    ['a:3000', 'b:3000'].map((instance) => [`${name}{${SERVER},instance="${instance}"}`, `${value}x80`])
  return Object.fromEntries([
    ...both('poolguard_server_free_connections', free),
    ...both('poolguard_server_max_connections', 100),
  ])
}

function idleInTransaction(seconds: number): Series {
  return { [`poolguard_server_longest_idle_in_transaction_seconds{${SERVER},instance="a"}`]: `${seconds}x80` }
}

function up(value: number): Series {
  return { [`poolguard_source_up{${SERVER},instance="a:3000"}`]: `${value}x80` }
}

/** As an app tells it that asks one PgBouncer, and as pgbouncer_exporter does beside another. */
function clients(name: string, value: number): { readonly told: Series; readonly exported: Series } {
  return {
    told: { [`pgbouncer_pools_${name}{${PGBOUNCER}}`]: `${value}x80` },
    exported: { [`pgbouncer_pools_${name}{${EXPORTER},database="app",user="app"}`]: `${value}x80` },
  }
}

/** By alert and severity: what makes it fire, and what just does not. */
const CASES: Readonly<
  Record<string, { readonly firing: Series | readonly Series[]; readonly silent: Series | readonly Series[] }>
> = {
  'PoolguardConnectionsInUse warning': { firing: inUse(7.2), silent: inUse(6.8) },
  'PoolguardConnectionsInUse critical': {
    firing: { ...inUse(9.2), ...waits(0.11) },
    // The second pool is fully in use without waiters, like that of a worker that listens.
    silent: [
      { ...inUse(8.8), ...waits(0.11) },
      { ...inUse(10), ...waiters(0) },
    ],
  },
  'PoolguardCallersWaiting warning': { firing: waiters(5), silent: waiters(4) },
  'PoolguardCallersWaiting critical': { firing: waiters(20), silent: waiters(19) },
  'PoolguardLongWaits warning': { firing: waits(0.11), silent: waits(0.09) },
  'PoolguardLongWaits critical': { firing: waits(0.51), silent: waits(0.49) },
  'PoolguardConnectErrors warning': {
    firing: connecting({ failed: '0+2x80', opened: '0+98x80' }),
    silent: connecting({ failed: '0x80', opened: '0+98x80' }),
  },
  'PoolguardConnectErrors critical': {
    firing: connecting({ failed: '0+6x80', opened: '0+94x80' }),
    // Each one fails, but there are few.
    silent: connecting({ failed: '0x70 2x10', opened: '7x80' }),
  },
  'PoolguardTimeouts warning': counted('db_client_connection_timeouts_total'),
  'PoolguardCallersRejected critical': counted('poolguard_saturated_total'),
  'PoolguardCallersShed warning': counted('poolguard_callers_shed_total'),
  'PoolguardRequestsShed warning': counted('poolguard_requests_shed_total', 'job="app",instance="a:3000"'),
  'PoolguardLeakSuspected warning': {
    // As long as it is out, and for a while after it has come back.
    firing: [counted('poolguard_leaks_total').firing, leaks('1x80', '1x80'), leaks('0x60 1x20', '0x80')],
    silent: leaks('1x80', '0x80'),
  },
  'PoolguardDeadlock critical': counted('poolguard_deadlocks_total'),
  'PoolguardWalTooLarge warning': { firing: wal(65), silent: wal(64) },
  'PoolguardDirtyReleases warning': counted('poolguard_dirty_releases_total'),
  'PoolguardCloseToMaxConnections warning': { firing: room(9), silent: room(10) },
  'PoolguardCloseToMaxConnections critical': { firing: room(2), silent: room(3) },
  'PoolguardIdleInTransaction warning': {
    firing: idleInTransaction(60),
    silent: idleInTransaction(59),
  },
  'PoolguardSourceDown warning': {
    firing: [up(0), { [`pgbouncer_up{${EXPORTER}}`]: '0x80' }],
    silent: { ...up(1), [`pgbouncer_up{${EXPORTER}}`]: '1x80' },
  },
  'PoolguardPgBouncerClientsWaiting warning': {
    firing: Object.values(clients('client_waiting_connections', 5)),
    silent: Object.values(clients('client_waiting_connections', 4)),
  },
  'PoolguardPgBouncerClientsWaiting critical': {
    firing: Object.values(clients('client_waiting_connections', 20)),
    silent: Object.values(clients('client_waiting_connections', 19)),
  },
  'PoolguardPgBouncerMaxWait warning': {
    firing: Object.values(clients('client_maxwait_seconds', 1)),
    silent: Object.values(clients('client_maxwait_seconds', 0.9)),
  },
  'PoolguardPgBouncerMaxWait critical': {
    firing: Object.values(clients('client_maxwait_seconds', 10)),
    silent: Object.values(clients('client_maxwait_seconds', 9)),
  },
}

test('every alert is tried', () => {
  expect(Object.keys(CASES)).toEqual(alertRules().map(({ name, labels }) => `${name} ${labels.severity}`))
})

const describe = await describeWithPrometheus()
describe('given promtool', () => {
  test('then it finds no fault with the rules', async () => {
    expect(await checkRules(rules)).toContain(`SUCCESS: ${alertRules().length} rules found`)
  })

  test('then each alert fires where it should, once, and is silent where it should not', async () => {
    const tests = Object.entries(CASES).flatMap(([alert, { firing, silent }]) => {
      const [name, severity] = alert.split(' ')
      const selector = `ALERTS{alertname="${name}",severity="${severity}"`
      return [
        ...[firing]
          .flat()
          .map((series) =>
            unitTest(`${alert} fires`, series, `count(${selector},alertstate="firing"})`, [{ labels: '{}', value: 1 }]),
          ),
        ...[silent].flat().map((series) => unitTest(`${alert} is silent`, series, `${selector}}`, [])),
      ]
    })
    await testRules(rules, { evaluation_interval: '1m', tests })
  })

  test('then alerts on PgBouncer name it, from either source of its metrics', async () => {
    const { told, exported } = clients('client_waiting_connections', 30)
    const alerts = 'count by (job, source) (ALERTS{alertname="PoolguardPgBouncerClientsWaiting",severity="critical"})'
    const named = unitTest('each by its name', { ...told, ...exported }, alerts, [
      { labels: '{job="app",source="pgbouncer"}', value: 1 },
      { labels: '{job="pooler",source="bouncer:9127"}', value: 1 },
    ])
    await testRules(rules, { evaluation_interval: '1m', tests: [named] })
  })

  test('then a test that should fail does', async () => {
    const wrong = unitTest('silent', waiters(30), 'ALERTS', [])
    await expect(testRules(rules, { evaluation_interval: '1m', tests: [wrong] })).rejects.toThrow('FAILED')
  })
})

function unitTest(name: string, series: Series, expr: string, samples: object[]): object {
  return {
    name,
    interval: '15s',
    input_series: Object.entries(series).map(([each, values]) => ({ series: each, values })),
    promql_expr_test: [{ expr, eval_time: '18m', exp_samples: samples }],
  }
}
