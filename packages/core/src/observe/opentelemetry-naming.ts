import { POOL_ATTRIBUTE } from '../pool/index.ts'
import { type MetricDefinition, type MetricSample, POOL_LABEL, STATE_LABEL } from './metric.ts'
import { METRICS } from './metric-definitions.ts'

export type Attributes = Record<string, string>

/** A metric that OpenTelemetry's semantic conventions define. */
export type ConventionalMetric = MetricDefinition & Required<Pick<MetricDefinition, 'convention'>>

const ATTRIBUTES: Readonly<Record<string, string>> = {
  [POOL_LABEL]: POOL_ATTRIBUTE,
  [STATE_LABEL]: 'db.client.connection.state',
}

/**
 * The nine metrics of OpenTelemetry's semantic conventions for connection pools.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/database/database-metrics/#connection-pools
 */
export const CONVENTIONAL_METRICS: readonly ConventionalMetric[] = METRICS.filter(
  (metric): metric is ConventionalMetric => metric.convention !== undefined,
)

export function attributesOf({ labels }: MetricSample): Attributes {
  return Object.fromEntries(Object.entries(labels).map(([label, value]) => [ATTRIBUTES[label] ?? label, value]))
}
