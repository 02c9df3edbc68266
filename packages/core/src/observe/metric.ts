import type { Durations } from '../pool/index.ts'
import type { PoolSnapshot } from './snapshot.ts'

/** One value of a metric, for the pool it was read from. */
export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number | Durations
}

/** The description of a metric. The metrics page, dashboards and alerts are all generated from lists of descriptions. */
export interface MetricDescription {
  /** The name in Prometheus. If OpenTelemetry defines the metric: its name with underscores for dots, followed by the unit. */
  readonly name: string
  readonly type: 'gauge' | 'counter' | 'histogram'
  readonly help: string
  /** The labels of its series, besides the label of the pool or the source. */
  readonly labels?: readonly string[]
}

/** A metric and the function that reads its values. */
export interface ReadableMetric<Figures> extends MetricDescription {
  readonly read: (figures: Figures) => readonly MetricSample[]
}

/** A metric of a pool. */
export interface MetricDefinition extends ReadableMetric<PoolSnapshot> {
  /** Its name and unit in OpenTelemetry's semantic conventions, if they define the metric. */
  readonly convention?: { readonly name: string; readonly unit: string }
  /** How to combine the values of several pools with the same name. Default: `sum`. */
  readonly combine?: 'sum' | 'max'
}

/** The label of the pool, on every metric of a pool. */
export const POOL_LABEL = 'db_client_connection_pool_name'
/** The label of the connection state: `idle` or `used`. */
export const STATE_LABEL = 'db_client_connection_state'

/** The labels of a metric that has no label besides the pool or the source. */
export const NO_LABELS: MetricSample['labels'] = {}
