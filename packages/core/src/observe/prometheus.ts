import { DURATION_BOUNDS_MILLIS, type Durations } from '../pool/index.ts'
import type { Sample } from './metric-definitions.ts'
import { type MetricFamily, readFamilies, readMetrics } from './metric-family.ts'
import { snapshotPools } from './registry.ts'
import { PROCESS_METRICS } from './shed-requests.ts'

/** A page of metrics, and how to label it. */
export interface MetricsPage {
  readonly contentType: string
  readonly body: string
}

const TEXT = 'text/plain; version=0.0.4; charset=utf-8'
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** In seconds. */
const BOUNDS: readonly string[] = DURATION_BOUNDS_MILLIS.map((millis) => String(millis / 1_000))

/**
 * The metrics of this process and of each of its pools, for Prometheus to scrape: in the OpenMetrics format where the Accept header
 * of the request asks for that, else in Prometheus' text format.
 *
 * @param more families beside those of the pools.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/ and
 * https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
 * @example
 * const { contentType, body } = renderMetrics(request.headers.accept)
 * response.setHeader('content-type', contentType).end(body)
 */
export function renderMetrics(accept?: string, more: readonly MetricFamily[] = []): MetricsPage {
  const families = mergeFamilies([
    ...readMetrics(snapshotPools()),
    ...readFamilies(PROCESS_METRICS, undefined),
    ...more,
  ])
  return accept?.includes('application/openmetrics-text')
    ? { contentType: OPEN_METRICS, body: `${families.map((family) => render(family, true)).join('')}# EOF\n` }
    : { contentType: TEXT, body: families.map((family) => render(family, false)).join('') }
}

/** Several sources may have the same metric, which must stand on the page once. */
function mergeFamilies(families: readonly MetricFamily[]): MetricFamily[] {
  return [...Map.groupBy(families, ({ name }) => name).values()].map((same) => ({
    ...(same[0] as MetricFamily),
    samples: same.length === 1 ? (same[0] as MetricFamily).samples : same.flatMap(({ samples }) => samples),
  }))
}

/** In OpenMetrics a counter's name is without the `_total` that its series have. */
function render({ name, type, help, samples }: MetricFamily, openMetrics: boolean): string {
  if (samples.length === 0) return ''
  const family = openMetrics && type === 'counter' ? name.replace(/_total$/, '') : name
  const head = `# HELP ${family} ${escapeHelp(help, openMetrics)}\n# TYPE ${family} ${type}\n`
  return head + samples.map((sample) => renderSample(name, sample)).join('')
}

/** Written as a loop: a process with a thousand pools has some hundred thousand lines. */
function renderSample(name: string, { labels, value }: Sample): string {
  const pairs = renderLabels(labels)
  if (typeof value === 'number') return `${name}${pairs === '' ? '' : `{${pairs}}`} ${renderNumber(value)}\n`
  const bucket = `${name}_bucket{${pairs}${pairs === '' ? '' : ','}le="`
  let text = ''
  let sum = 0
  for (let i = 0; i < BOUNDS.length; i++) {
    sum += value.buckets[i] ?? 0
    text += `${bucket}${BOUNDS[i]}"} ${sum}\n`
  }
  return (
    `${text}${bucket}+Inf"} ${value.count}\n` +
    `${name}_sum{${pairs}} ${renderNumber(value.sumMillis / 1_000)}\n${name}_count{${pairs}} ${value.count}\n`
  )
}

/** The count of all up to each bound, in seconds. */
export function cumulate({ buckets, count }: Durations): readonly (readonly [le: string, count: number])[] {
  let sum = 0
  const bounded = BOUNDS.map((bound, i) => {
    sum += buckets[i] ?? 0
    return [bound, sum] as const
  })
  return [...bounded, ['+Inf', count]]
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  let text = ''
  for (const name in labels) text += `${text === '' ? '' : ','}${name}="${escapeLabel(labels[name] ?? '')}"`
  return text
}

function escapeLabel(value: string): string {
  if (!/[\\\n"]/.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}

/** Quotation marks are escaped in OpenMetrics alone. */
function escapeHelp(help: string, openMetrics: boolean): string {
  const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return openMetrics ? escaped.replaceAll('"', '\\"') : escaped
}

function renderNumber(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}
