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
  const openMetrics = accept?.includes('application/openmetrics-text') ?? false
  const page = new PageText(openMetrics)
  const families = [...readMetrics(snapshotPools()), ...readFamilies(PROCESS_METRICS, undefined), ...more]
  for (const family of mergeFamilies(families)) page.add(family)
  return { contentType: openMetrics ? OPEN_METRICS : TEXT, body: page.end() }
}

/** Several sources may have the same metric, which must stand on the page once. */
function mergeFamilies(families: readonly MetricFamily[]): MetricFamily[] {
  return [...Map.groupBy(families, ({ name }) => name).values()].map((same) => ({
    ...(same[0] as MetricFamily),
    samples: same.length === 1 ? (same[0] as MetricFamily).samples : same.flatMap(({ samples }) => samples),
  }))
}

/** Kept from page to page, as large as the largest so far: a page is written in one go. At first enough for most processes. */
let pageBytes = Buffer.allocUnsafe(64 * 1024)
/** UTF-8 has no more for a character of JavaScript's. */
const MOST_BYTES_PER_CHARACTER = 3

/**
 * A page in the making. It is written as bytes, family by family: a process with a thousand pools has some hundred thousand
 * lines, and to join those as strings takes as long as all the rest.
 */
class PageText {
  readonly #openMetrics: boolean
  #length = 0
  /** Of labels that several series have. */
  readonly #labels = new Map<Sample['labels'], string>()

  constructor(openMetrics: boolean) {
    this.#openMetrics = openMetrics
  }

  /** In OpenMetrics a counter's name is without the `_total` that its series have. */
  add({ name, type, help, samples }: MetricFamily): void {
    if (samples.length === 0) return
    const family = this.#openMetrics && type === 'counter' ? name.replace(/_total$/, '') : name
    let text = `# HELP ${family} ${escapeHelp(help, this.#openMetrics)}\n# TYPE ${family} ${type}\n`
    for (const { labels, value } of samples) {
      const pairs = this.#pairsOf(labels)
      text += typeof value === 'number' ? renderValue(name, pairs, value) : renderHistogram(name, pairs, value)
    }
    this.#write(text)
  }

  end(): string {
    if (this.#openMetrics) this.#write('# EOF\n')
    return pageBytes.toString('utf8', 0, this.#length)
  }

  #write(text: string): void {
    const needed = this.#length + text.length * MOST_BYTES_PER_CHARACTER
    if (needed > pageBytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * pageBytes.length))
      pageBytes.copy(larger, 0, 0, this.#length)
      pageBytes = larger
    }
    this.#length += pageBytes.write(text, this.#length)
  }

  #pairsOf(labels: Sample['labels']): string {
    const known = this.#labels.get(labels)
    if (known !== undefined) return known
    const pairs = renderLabels(labels)
    this.#labels.set(labels, pairs)
    return pairs
  }
}

function renderValue(name: string, pairs: string, value: number): string {
  return `${name}${pairs === '' ? '' : `{${pairs}}`} ${renderNumber(value)}\n`
}

/** What follows the other labels of a bucket. */
const BUCKETS: readonly string[] = BOUNDS.map((bound) => `le="${bound}"} `)

/** Most buckets have the count of the one before: only what differs is put together anew. */
function renderHistogram(name: string, pairs: string, { buckets, count, sumMillis }: Durations): string {
  const line = `${name}_bucket{${pairs}${pairs === '' ? '' : ','}`
  let sum = 0
  let countAndNext = `0\n${line}`
  let text = line
  for (let i = 0; i < BUCKETS.length; i++) {
    const inBucket = buckets[i] ?? 0
    if (inBucket !== 0) {
      sum += inBucket
      countAndNext = `${sum}\n${line}`
    }
    text += BUCKETS[i] + countAndNext
  }
  return (
    `${text}le="+Inf"} ${count}\n` +
    `${name}_sum{${pairs}} ${renderNumber(sumMillis / 1_000)}\n${name}_count{${pairs}} ${count}\n`
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
