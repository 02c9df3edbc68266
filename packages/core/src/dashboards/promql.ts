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

/** Told by pgbouncer_exporter of its PgBouncer, as {@link SOURCE_UP} is by a source. */
export const EXPORTER_UP: MetricDescription = {
  name: 'pgbouncer_up',
  type: 'gauge',
  help: 'Whether PgBouncer answered when pgbouncer_exporter asked it last.',
}

/** Those that Prometheus gives to whatever it scrapes. */
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

/** What the labels of a series have to be: a text itself, or what a regular expression matches as a whole. */
export type Matchers = Readonly<Record<string, string | RegExp>>

/**
 * A selector of series in PromQL.
 *
 * @param name of a metric; of a histogram with `_bucket`, `_sum` or `_count` behind it.
 * @throws {Error} where there is no such metric, or it has no such label: nothing here can outlive a metric.
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

/** What a series is of. */
export function describeSeries(name: string): MetricDescription {
  const known = KNOWN_METRICS.get(name)
  if (known && known.type !== 'histogram') return known
  const histogram = KNOWN_METRICS.get(name.replace(/_(bucket|sum|count)$/, ''))
  if (histogram?.type === 'histogram' && histogram !== known) return histogram
  throw new Error(`there is no metric ${name}`)
}

/**
 * What each of several instances tells of a server, as one: the largest is as good as any. A page of pgbouncer_exporter tells of
 * one server and names none: there the instance is its name.
 *
 * @param select makes the series of what the labels match.
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
