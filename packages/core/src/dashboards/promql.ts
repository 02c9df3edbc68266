import {
  METRICS,
  type MetricDescription,
  PGBOUNCER_METRICS,
  POOL_LABEL,
  PROCESS_METRICS,
  SERVER_METRICS,
  SOURCE_LABEL,
  SOURCE_UP,
} from '../observe/index.ts'

/** The metric by which pgbouncer_exporter reports whether PgBouncer is up, like {@link SOURCE_UP} of a source. */
export const EXPORTER_UP: MetricDescription = {
  name: 'pgbouncer_up',
  type: 'gauge',
  help: "1 if PgBouncer answered pgbouncer_exporter's last query, else 0.",
}

/** Labels that Prometheus adds to every series that it scrapes. */
export const TARGET_LABELS: readonly string[] = ['job', 'instance']

/** Every metric that a page of metrics can have, with the labels of its series. */
export const KNOWN_METRICS: ReadonlyMap<string, MetricDescription> = new Map(
  [
    ...METRICS.map((metric) => withLabel(metric, POOL_LABEL)),
    ...PROCESS_METRICS,
    ...[...SERVER_METRICS, ...PGBOUNCER_METRICS, SOURCE_UP, EXPORTER_UP].map((metric) =>
      withLabel(metric, SOURCE_LABEL),
    ),
  ].map((metric) => [metric.name, metric]),
)

function withLabel({ labels = [], ...metric }: MetricDescription, label: string): MetricDescription {
  return { ...metric, labels: [label, ...labels] }
}

/** Conditions on labels: a string must be equal, a regular expression must match the whole value. */
export type Matchers = Readonly<Record<string, string | RegExp>>

/**
 * A selector of series in PromQL.
 *
 * @param name name of a metric; for a histogram, followed by `_bucket`, `_sum` or `_count`.
 * @throws {Error} if the metric does not exist or has no such label, so that no query can outlive its metric.
 * @example
 * series('db_client_connection_count', { db_client_connection_state: 'used' })
 */
export function series(name: string, matchers: Matchers = {}): string {
  const { labels = [] } = describeSeries(name)
  const unknown = Object.keys(matchers).find((label) => ![...labels, ...TARGET_LABELS].includes(label))
  if (unknown !== undefined) throw new Error(`the metric ${name} has no label ${unknown}`)
  const pairs = Object.entries(matchers).map(([label, wanted]) =>
    typeof wanted === 'string' ? `${label}=${JSON.stringify(wanted)}` : `${label}=~${JSON.stringify(wanted.source)}`,
  )
  return pairs.length === 0 ? name : `${name}{${pairs.join(', ')}}`
}

/** The metric that a series belongs to. */
export function describeSeries(name: string): MetricDescription {
  const known = KNOWN_METRICS.get(name)
  if (known && known.type !== 'histogram') return known
  const histogram = KNOWN_METRICS.get(name.replace(/_(bucket|sum|count)$/, ''))
  if (histogram?.type === 'histogram' && histogram !== known) return histogram
  throw new Error(`there is no metric ${name}`)
}

/**
 * Aggregates the values that several instances report of one server; they are the same, so that `max` or `min` selects any of
 * them. The metrics of pgbouncer_exporter have no source label: the instance is the source.
 *
 * @param select returns the selector of the series that match the labels.
 */
export function bySource(
  how: 'max' | 'min',
  labels: readonly string[],
  select: (matchers: Matchers) => string,
): string {
  const unnamed = `label_replace(${select({ [SOURCE_LABEL]: '' })}, "${SOURCE_LABEL}", "$1", "instance", "(.*)")`
  const named = select({ [SOURCE_LABEL]: /.+/ })
  return `${how} by (${['job', SOURCE_LABEL, ...labels].join(', ')}) (${unnamed} or ${named})`
}
