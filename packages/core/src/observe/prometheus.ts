import { DURATION_BOUNDS_MILLIS, type Durations } from '../pool/index.ts'
import type { Sample } from './metric-definitions.ts'
import { type MetricFamily, readMetrics } from './metric-family.ts'
import { snapshotPools } from './registry.ts'

/** A page of metrics, and how to label it. */
export interface MetricsPage {
  readonly contentType: string
  readonly body: string
}

const TEXT = 'text/plain; version=0.0.4; charset=utf-8'
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/**
 * The metrics of every pool of this process, for Prometheus to scrape: in the OpenMetrics format where the Accept header
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
  const families = mergeFamilies([...readMetrics(snapshotPools()), ...more])
  return accept?.includes('application/openmetrics-text')
    ? { contentType: OPEN_METRICS, body: `${families.map((family) => render(family, true)).join('')}# EOF\n` }
    : { contentType: TEXT, body: families.map((family) => render(family, false)).join('') }
}

/** Several sources may have the same metric, which must stand on the page once. */
function mergeFamilies(families: readonly MetricFamily[]): MetricFamily[] {
  return [...Map.groupBy(families, ({ name }) => name).values()].map((same) => ({
    ...(same[0] as MetricFamily),
    samples: same.flatMap(({ samples }) => samples),
  }))
}

/** In OpenMetrics a counter's name is without the `_total` that its series have. */
function render({ name, type, help, samples }: MetricFamily, openMetrics: boolean): string {
  if (samples.length === 0) return ''
  const family = openMetrics && type === 'counter' ? name.replace(/_total$/, '') : name
  const head = `# HELP ${family} ${escapeHelp(help, openMetrics)}\n# TYPE ${family} ${type}\n`
  return head + samples.map((sample) => renderSample(name, sample)).join('')
}

function renderSample(name: string, { labels, value }: Sample): string {
  if (typeof value === 'number') return `${name}${renderLabels(labels)} ${renderNumber(value)}\n`
  return cumulate(value)
    .map(([le, count]) => `${name}_bucket${renderLabels({ ...labels, le })} ${count}\n`)
    .concat(`${name}_sum${renderLabels(labels)} ${renderNumber(value.sumMillis / 1_000)}\n`)
    .concat(`${name}_count${renderLabels(labels)} ${value.count}\n`)
    .join('')
}

/** The count of all up to each bound, in seconds. */
export function cumulate({ buckets, count }: Durations): readonly (readonly [le: string, count: number])[] {
  let sum = 0
  const bounded = DURATION_BOUNDS_MILLIS.map((bound, i) => {
    sum += buckets[i] ?? 0
    return [renderBound(bound / 1_000), sum] as const
  })
  return [...bounded, ['+Inf', count]]
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escapeLabel(value: string): string {
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

/** As OpenMetrics wants it: with a point, always. */
function renderBound(seconds: number): string {
  return Number.isInteger(seconds) ? `${seconds}.0` : String(seconds)
}
