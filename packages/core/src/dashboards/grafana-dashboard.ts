import {
  completeThresholds,
  type HealthThreshold,
  type HealthThresholds,
  POOL_LABEL,
  SOURCE_UP,
} from '../observe/index.ts'
import { chosen, type Query } from './panel-queries.ts'
import { dashboardRows, type PanelDefinition } from './panels.ts'
import { EXPORTER_UP, KNOWN_METRICS } from './promql.ts'

/** A dashboard in Grafana's classic model, which every Grafana release imports. Plain data. */
export interface GrafanaDashboard {
  readonly uid: string
  readonly title: string
  readonly schemaVersion: number
  readonly panels: readonly GrafanaPanel[]
  readonly templating: { readonly list: readonly GrafanaVariable[] }
  readonly [more: string]: unknown
}

export interface GrafanaPanel {
  readonly id: number
  readonly type: 'row' | 'timeseries'
  readonly title: string
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number }
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[]
  readonly [more: string]: unknown
}

export interface GrafanaVariable {
  readonly name: string
  readonly type: string
  readonly [more: string]: unknown
}

/**
 * The schema version of Grafana 12 and 13
 * (https://github.com/grafana/grafana/blob/main/apps/dashboard/pkg/migration/schemaversion/migrations.go).
 */
const SCHEMA_VERSION = 42
/** Grafana's grid has 24 columns. */
const COLUMNS = 24
const PANEL = { w: 8, h: 8 }

const DATASOURCE = { type: 'prometheus', uid: `$\{datasource}` }

/**
 * A Grafana dashboard for the pools of your processes, for PostgreSQL and PgBouncer if they are sources of your metrics page,
 * and for the waits by route or job.
 *
 * @param thresholds health thresholds that replace those of `DEFAULT_HEALTH_THRESHOLDS`. The panels show them as lines.
 * @throws {InvalidOptionError} for an invalid threshold.
 * @example
 * import { writeFileSync } from 'node:fs'
 *
 * writeFileSync('poolguard.json', JSON.stringify(grafanaDashboard(), null, 2))
 */
export function grafanaDashboard(thresholds: Partial<HealthThresholds> = {}): GrafanaDashboard {
  return {
    id: null,
    uid: 'poolguard',
    title: 'poolguard',
    description: 'Connection pools, PostgreSQL and PgBouncer.',
    tags: ['poolguard', 'postgresql'],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timepicker: {},
    timezone: 'browser',
    annotations: { list: [] },
    links: [],
    templating: { list: [datasourceVariable(), ...queryVariables()] },
    panels: layOut(completeThresholds(thresholds)),
  }
}

function datasourceVariable(): GrafanaVariable {
  return {
    name: 'datasource',
    label: 'Data source',
    type: 'datasource',
    query: 'prometheus',
    ...{ current: {}, options: [], regex: '', refresh: 1, hide: 0, includeAll: false, multi: false },
  }
}

/** One metric of each kind of scrape target: an app's metrics page, and that of pgbouncer_exporter. */
const ANY_TARGET = `__name__=~"db_client_connection_max|${SOURCE_UP.name}|${EXPORTER_UP.name}"`

/** The variables at the top of the dashboard. Each offers the values that match the variables before it. */
function queryVariables(): GrafanaVariable[] {
  return [
    queryVariable('job', 'Job', `label_values({${ANY_TARGET}}, job)`),
    queryVariable('instance', 'Instance', `label_values({${ANY_TARGET}, job=~"$job"}, instance)`),
    queryVariable('pool', 'Pool', `label_values(${chosen('db_client_connection_max')}, ${POOL_LABEL})`),
  ]
}

function queryVariable(name: string, label: string, query: string): GrafanaVariable {
  return {
    ...{ name, label, type: 'query', datasource: DATASOURCE, definition: query },
    query: { qryType: 1, query, refId: 'PrometheusVariableQueryEditor-VariableQuery' },
    current: { text: ['All'], value: ['$__all'] },
    allValue: '.*',
    ...{ options: [], regex: '', refresh: 2, sort: 1, hide: 0, includeAll: true, multi: true },
  }
}

/** Places the rows one below the other, and the panels of a row side by side. */
function layOut(thresholds: HealthThresholds): GrafanaPanel[] {
  const placed: GrafanaPanel[] = []
  const perLine = COLUMNS / PANEL.w
  let y = 0
  for (const { title, panels } of dashboardRows(thresholds)) {
    const gridPos = { h: 1, w: COLUMNS, x: 0, y: y++ }
    placed.push({ id: placed.length + 1, type: 'row', title, gridPos, collapsed: false, panels: [] })
    for (const [i, panel] of panels.entries()) {
      const [column, line] = [i % perLine, Math.floor(i / perLine)]
      placed.push(drawPanel(panel, placed.length + 1, { ...PANEL, x: column * PANEL.w, y: y + line * PANEL.h }))
    }
    y += Math.ceil(panels.length / perLine) * PANEL.h
  }
  return placed
}

function drawPanel(
  { title, unit, queries, thresholds, stacked = false }: PanelDefinition,
  id: number,
  gridPos: GrafanaPanel['gridPos'],
): GrafanaPanel {
  return {
    id,
    type: 'timeseries',
    title,
    description: describe(queries),
    gridPos,
    datasource: DATASOURCE,
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        color: { mode: 'palette-classic' },
        custom: {
          drawStyle: 'line',
          lineWidth: 1,
          fillOpacity: stacked ? 30 : 5,
          showPoints: 'never',
          stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
          thresholdsStyle: { mode: thresholds ? 'line' : 'off' },
        },
        thresholds: { mode: 'absolute', steps: stepsOf(thresholds) },
      },
      overrides: [],
    },
    options: {
      legend: { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    targets: queries.map(({ expr, legend }, i) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + i),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      editorMode: 'code',
      range: true,
    })),
  }
}

function stepsOf(thresholds: HealthThreshold | undefined): readonly { color: string; value: number | null }[] {
  const base = { color: 'green', value: null }
  if (!thresholds) return [base]
  const { warning, critical } = thresholds
  const steps = [
    { color: 'yellow', value: warning },
    { color: 'red', value: critical },
  ]
  // JSON has no infinity: it would become null, the base value that colors everything.
  return [base, ...steps.filter(({ value }) => value !== Infinity)]
}

/** The help texts of all metrics that the queries use. */
function describe(queries: readonly Query[]): string {
  const words = new Set(queries.flatMap(({ expr }) => expr.match(/\w+/g) ?? []))
  return [...KNOWN_METRICS.values()]
    .filter(
      ({ name, type }) => words.has(name) || (type === 'histogram' && [...words].some((word) => isPart(word, name))),
    )
    .map(({ name, help }) => `\`${name}\`: ${help}`)
    .join('\n\n')
}

function isPart(word: string, histogram: string): boolean {
  return ['_bucket', '_sum', '_count'].some((part) => word === `${histogram}${part}`)
}
