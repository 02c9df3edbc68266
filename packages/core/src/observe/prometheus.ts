import { DURATION_BOUNDS_MILLIS, type Durations } from '../pool/index.ts'
import { acceptsOpenMetrics } from './accepts-open-metrics.ts'
import { mergeFamilies } from './merge-families.ts'
import type { MetricSample } from './metric.ts'
import { type MetricFamily, readFamilies, readMetrics } from './metric-family.ts'
import { PageBytes } from './page-bytes.ts'
import { snapshotPools } from './registry.ts'
import { PROCESS_METRICS } from './shed-requests.ts'

/** A metrics page and its content type. */
export interface MetricsPage {
  readonly contentType: string
  /** Encoded in UTF-8. */
  readonly body: Buffer<ArrayBuffer>
}

const TEXT = 'text/plain; version=0.0.4; charset=utf-8'
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** Upper bounds of a histogram's buckets, in seconds. */
export const BUCKETS: readonly string[] = [...DURATION_BOUNDS_MILLIS.map((millis) => String(millis / 1_000)), '+Inf']

/**
 * Renders the metrics of this process and all its pools for Prometheus, in the OpenMetrics format if the Accept header prefers
 * it, else in the Prometheus text format.
 *
 * @param accept the request's Accept header.
 * @param more additional metrics, as read by `ScrapedMetrics`.
 * @throws {InvalidOptionError} if two metrics of the same name have series with the same labels.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/ and
 * https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
 * @example
 * const { contentType, body } = renderMetrics(request.headers.accept)
 * reply.header('content-type', contentType).send(body)
 */
export function renderMetrics(accept?: string, more: readonly MetricFamily[] = []): MetricsPage {
  const openMetrics = acceptsOpenMetrics(accept)
  const page = new PageText(openMetrics)
  const families = [...readMetrics(snapshotPools()), ...readFamilies(PROCESS_METRICS, undefined), ...more]
  for (const family of mergeFamilies(families)) page.add(family)
  return { contentType: openMetrics ? OPEN_METRICS : TEXT, body: page.end() }
}

/** Renders a page, one family after the other. */
class PageText {
  readonly #openMetrics: boolean
  readonly #page = new PageBytes()
  /** Rendered labels, by the object that several series share. */
  readonly #labels = new Map<MetricSample['labels'], string>()

  constructor(openMetrics: boolean) {
    this.#openMetrics = openMetrics
  }

  /** In OpenMetrics, the name of a counter family lacks the `_total` of its series. */
  add({ name, type, help, samples }: MetricFamily): void {
    if (samples.length === 0) return
    const family = this.#openMetrics && type === 'counter' ? name.replace(/_total$/, '') : name
    this.#page.add(`# HELP ${family} ${escapeHelp(help, this.#openMetrics)}\n# TYPE ${family} ${type}\n`)
    for (const { labels, value } of samples) {
      const braced = this.#bracedOf(labels)
      this.#page.add(
        typeof value === 'number' ? renderValue(name, braced, value) : renderHistogram(name, braced, value),
      )
    }
  }

  end(): Buffer<ArrayBuffer> {
    if (this.#openMetrics) this.#page.add('# EOF\n')
    return this.#page.end()
  }

  #bracedOf(labels: MetricSample['labels']): string {
    const known = this.#labels.get(labels)
    if (known !== undefined) return known
    const braced = renderLabels(labels)
    this.#labels.set(labels, braced)
    return braced
  }
}

function renderValue(name: string, braced: string, value: number): string {
  const end = `${renderNumber(value)}\n`
  return `${name}${braced}${end}`
}

/** The end of the labels of each bucket. */
const BUCKET_ENDS: readonly string[] = BUCKETS.map((bound) => `le="${bound}"} `)

/** The rendered series of a histogram. */
interface HistogramText {
  readonly name: string
  readonly braced: string
  readonly text: string
}

/** Cache by reading: a histogram returns a new object once it has recorded something, and most pools of a large page have not. */
const histogramTexts = new WeakMap<Durations, HistogramText>()

function renderHistogram(name: string, braced: string, durations: Durations): string {
  const known = histogramTexts.get(durations)
  if (known?.name === name && known.braced === braced) return known.text
  // The round trip flattens the string: the cached text must not reference all its parts.
  const text = Buffer.from(writeHistogram(name, braced, durations)).toString()
  histogramTexts.set(durations, { name, braced, text })
  return text
}

/** Most buckets have the count of the previous one: reusing one text for them halves the number of concatenations. */
function writeHistogram(name: string, braced: string, durations: Durations): string {
  const { count, sumMillis } = durations
  const line = [name, '_bucket', braced === NO_BRACES ? '{' : `${braced.slice(0, -'} '.length)},`].join('')
  const counts = cumulate(durations)
  let text = line
  let countAndNext = ''
  for (let i = 0; i < BUCKET_ENDS.length - 1; i++) {
    if (i === 0 || counts[i] !== counts[i - 1]) countAndNext = `${counts[i]}\n${line}`
    text += BUCKET_ENDS[i] + countAndNext
  }
  return (
    `${text}${BUCKET_ENDS.at(-1)}${count}\n` +
    `${name}_sum${braced}${renderNumber(sumMillis / 1_000)}\n${name}_count${braced}${count}\n`
  )
}

/** The cumulative count for each bound of {@link BUCKETS}. */
export function cumulate({ buckets }: Durations): readonly number[] {
  let sum = 0
  return buckets.map((inBucket) => {
    sum += inBucket
    return sum
  })
}

/** Separates the name from the value if there are no labels. */
const NO_BRACES = ' '

/**
 * Renders the labels with their braces, up to the value. `join` produces a flat string: many series use this text, and a
 * concatenated string would be traversed on each use.
 */
function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs: string[] = []
  for (const name in labels) pairs.push(`${name}="${escapeLabel(labels[name] ?? '')}"`)
  return pairs.length === 0 ? NO_BRACES : ['{', pairs.join(','), '} '].join('')
}

function escapeLabel(value: string): string {
  if (!/[\\\n"]/.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}

/** Only OpenMetrics escapes quotation marks. */
function escapeHelp(help: string, openMetrics: boolean): string {
  const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return openMetrics ? escaped.replaceAll('"', '\\"') : escaped
}

function renderNumber(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}
