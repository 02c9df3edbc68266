import { describe, expect, test } from 'vitest'
import { DEFAULT_HEALTH_THRESHOLDS, METRICS, POOL_LABEL, postgresMetrics, STATE_LABEL } from '../observe/index.ts'
import { alertRules } from './alert-rules.ts'
import { grafanaDashboard } from './grafana-dashboard.ts'
import { describeSeries, KNOWN_METRICS, series, TARGET_LABELS } from './promql.ts'

const WORDS = new Set(['and', 'or', 'by', 'without', 'on', 'ignoring'])
/** Labels that Prometheus or a histogram adds. */
const LABELS_OF_ANY = [...TARGET_LABELS, 'le']

/** The metrics and labels in an expression, parsed independently of the code that builds it. */
function namesIn(expr: string): { metrics: string[]; labels: string[] } {
  const labels: string[] = []
  const plain = expr
    .replaceAll(/"[^"]*"/g, '""')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g, (_, list: string) => {
      labels.push(...list.split(',').map((label) => label.trim()))
      return ''
    })
    .replaceAll(/\{([^}]*)\}/g, (_, list: string) => {
      labels.push(...list.split(',').map((pair) => pair.replace(/[=!].*$/, '').trim()))
      return ''
    })
  const metrics = [...plain.matchAll(/\b[a-z_]\w*\b(?!\s*\()/gi)]
    .map(([name]) => name)
    .filter((name) => !WORDS.has(name))
  return { metrics, labels }
}

const panels = grafanaDashboard().panels
const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const))
const rules = alertRules().map(({ name, labels, expr }) => [`${name} ${labels.severity}`, expr] as const)

test('every expression uses existing metrics and labels', () => {
  expect(queries.length + rules.length).toBeGreaterThan(50)
  for (const [where, expr] of [...queries, ...rules]) {
    const { metrics, labels } = namesIn(expr)
    expect(metrics, where).not.toEqual([])
    const known = metrics.flatMap((name) => describeSeries(name).labels ?? [])
    expect([...known, ...LABELS_OF_ANY], `${where}: ${expr}`).toEqual(expect.arrayContaining(labels))
  }
})

/** The labels that a legend or an annotation shows. */
function labelsShown(template: string): string[] {
  return [...template.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)].map(([, label]) => label as string)
}

/** The labels that remain after an aggregation; undefined if the expression has none. */
function labelsLeft(expr: string): string[] | undefined {
  return /\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(', ')
}

test('legends show every label that distinguishes their curves', () => {
  for (const { title, targets = [] } of panels) {
    for (const { expr, legendFormat } of targets) {
      const left = labelsLeft(expr)?.filter((label) => label !== 'le')
      expect(labelsShown(legendFormat).toSorted(), `${title}: ${legendFormat}`).toEqual(left?.toSorted())
    }
    const legends = targets.map(({ legendFormat }) => legendFormat)
    expect(new Set(legends).size, title).toBe(legends.length)
  }
})

test('every query filters by the selected job and instance', () => {
  for (const [title, expr] of queries) {
    const selectors = expr.match(/\b(?:db|poolguard|pgbouncer)_\w+(?:\{[^}]*\})?/g) ?? []
    expect(selectors, title).not.toEqual([])
    for (const selector of selectors.filter((each) => each !== POOL_LABEL && each !== STATE_LABEL)) {
      expect(selector, title).toMatch(/\{job=~"\$job", instance=~"\$instance"/)
    }
  }
  const { list } = grafanaDashboard().templating
  expect(list.map(({ name }) => name)).toEqual(['datasource', 'job', 'instance', 'pool'])
})

test('annotations use only labels that remain in their expressions', () => {
  for (const { expr, annotations } of alertRules()) {
    const template = Object.values(annotations).join()
    const named = labelsShown(template)
    const known = labelsLeft(expr) ?? [
      ...namesIn(expr).metrics.flatMap((name) => describeSeries(name).labels ?? []),
      ...TARGET_LABELS,
    ]
    expect(known, `${template}: ${expr}`).toEqual(expect.arrayContaining(named))
  }
})

test('every metric has exactly the labels that its description lists', () => {
  const durations = { count: 1, sumMillis: 1, buckets: [] }
  const shed = { 'waited-too-long': 1 }
  const lanes = { web: { active: 1, waiting: 0, wait: durations, shed } }
  const labelled = { waitByLabel: { route: durations }, connectFailures: { full: 1 }, shed, lanes }
  const stats = new Proxy(labelled, { get: (known, key) => Reflect.get(known, key) ?? 1 })
  const fleet = { maxConnections: 1, demand: 1, instances: 1, sharedConnections: 1, adaptiveLimit: 1 }
  const pipelining = { sentBehind: 1, inFlight: 1, stalls: 1 }
  const snapshot = {
    stats,
    dirtyReleases: 0,
    sessionStateFindings: 0,
    fleet,
    pipelining,
    adaptiveLimit: { base: 1, last: { base: 1, candidate: 1, throughputRatio: 1, confidence: 1 } },
    wal: { bytes: 1, maxBytes: 1 },
    routing: { readsOnPrimary: 1, replicas: [{ name: 'replica', state: 'usable', lagMillis: 1, reads: 1 }] },
    insight: { times: {}, timesByLabel: { route: {} } },
  } as never
  for (const { name, labels = [], read } of METRICS) {
    expect(
      read(snapshot).map((sample) => Object.keys(sample.labels)),
      name,
    ).toContainEqual(labels)
  }
  const row = {
    state: 'idle',
    count: 1,
    oldestSeconds: 0,
    longestIdleInTransactionSeconds: 0,
    maxConnections: 20,
    reserved: 3,
  }
  for (const { name, samples } of postgresMetrics([row])) {
    expect(KNOWN_METRICS.get(name)?.labels, name).toEqual(['source', ...Object.keys(samples[0]?.labels ?? {})])
  }
})

test('an unknown metric or label throws', () => {
  expect(() => series('poolguard_gone_total')).toThrow('there is no metric poolguard_gone_total')
  expect(() => series('db_client_connection_wait_time_seconds')).toThrow('there is no metric')
  expect(() => series('db_client_connection_max_sum')).toThrow('there is no metric')
  expect(() => series('db_client_connection_max', { route: 'x' })).toThrow('has no label route')
})

test('the dashboard shows every metric, except for five without a panel', () => {
  const shown = queries.flatMap(([, expr]) => namesIn(expr).metrics.map((name) => describeSeries(name).name))
  const missing = [...KNOWN_METRICS.keys()].filter((name) => !shown.includes(name))
  expect(missing).toEqual([
    'db_client_connection_idle_max',
    'pgbouncer_databases_paused',
    'pgbouncer_databases_disabled',
    'pgbouncer_config_max_user_connections',
    'pgbouncer_version_info',
  ])
})

describe('thresholds', () => {
  const own = { waiters: { warning: 7, critical: 70 }, meanWaitMillis: { warning: 250, critical: 2_000 } }
  const exprs = (name: string, thresholds = {}) =>
    alertRules(thresholds)
      .filter((rule) => rule.name === name)
      .map(({ expr }) => expr)

  test('default to the health thresholds, and can be replaced', () => {
    const { warning, critical } = DEFAULT_HEALTH_THRESHOLDS.waiters
    const waiting = 'db_client_connection_pending_requests >= '
    expect(exprs('PoolguardCallersWaiting')).toEqual([`${waiting}${warning}`, `${waiting}${critical}`])
    expect(exprs('PoolguardCallersWaiting', own)).toEqual([`${waiting}7`, `${waiting}70`])
    expect(exprs('PoolguardLongWaits', own)).toEqual([
      expect.stringMatching(/>= 0.25$/),
      expect.stringMatching(/>= 2$/),
    ])
  })

  test('appear as lines on the dashboard', () => {
    const panel = grafanaDashboard(own).panels.find(({ title }) => title.startsWith('Waiters (worst'))
    expect(panel).toMatchObject({
      fieldConfig: {
        defaults: {
          custom: { thresholdsStyle: { mode: 'line' } },
          thresholds: { steps: [{ value: null }, { value: 7 }, { value: 70 }] },
        },
      },
    })
  })

  test('that are infinite produce neither an alert nor a line', () => {
    const never = { warning: Infinity, critical: Infinity }
    const some = { waiters: { warning: 7, critical: Infinity }, meanWaitMillis: never }
    expect(exprs('PoolguardCallersWaiting', some)).toEqual(['db_client_connection_pending_requests >= 7'])
    expect(exprs('PoolguardLongWaits', some)).toEqual([])
    for (const { expr } of alertRules(some)) expect(expr).not.toContain('Infinity')
    const steps = grafanaDashboard(some).panels.flatMap(({ fieldConfig }) => {
      const { thresholds } =
        (fieldConfig as { defaults?: { thresholds?: { steps: { value: unknown }[] } } })?.defaults ?? {}
      return thresholds?.steps.slice(1).map(({ value }) => value) ?? []
    })
    expect(steps).not.toContain(Infinity)
    expect(steps).toContain(7)
  })

  test('that are invalid throw', () => {
    expect(() => alertRules({ waiters: { warning: 9, critical: 2 } })).toThrow('Invalid option thresholds.waiters')
    expect(() => grafanaDashboard({ waiting: { warning: 1, critical: 2 } } as never)).toThrow('thresholds.waiting')
  })
})

test('each panel describes its metrics, and has its own position and id', () => {
  const shown = panels.filter(({ type }) => type === 'timeseries')
  for (const { title, description } of shown) expect(description, title).toMatch(/^`\w+`: /)
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  expect(new Set(panels.map(({ gridPos: { x, y } }) => `${x},${y}`)).size).toBe(panels.length)
})
