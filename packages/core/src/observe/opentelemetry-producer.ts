import { DURATION_BOUNDS_MILLIS, type Durations } from '../pool/index.ts'
import type { MetricSample } from './metric.ts'
import { readMetrics } from './metric-family.ts'
import { attributesOf, CONVENTIONAL_METRICS, type ConventionalMetric } from './opentelemetry-naming.ts'
import { snapshotPools } from './registry.ts'

/** A metric producer for the option `metricProducers` of a MetricReader of @opentelemetry/sdk-metrics. */
export interface OpenTelemetryProducer {
  // biome-ignore lint/suspicious/noExplicitAny: its type consists of the SDK's enums.
  collect(): Promise<any>
}

/** Values of the SDK's enums (https://github.com/open-telemetry/opentelemetry-js, `MetricData` and `ValueType`). */
const CUMULATIVE = 1
const DOUBLE = 1
const HISTOGRAM = 0
const SUM = 3

const BOUNDARIES = DURATION_BOUNDS_MILLIS.map((millis) => millis / 1_000)

/**
 * Produces the nine metrics of OpenTelemetry's semantic conventions for connection pools, for every pool of this process. The
 * metrics are read when a reader collects them, so that queries cost nothing more. If your app does not set up the SDK itself,
 * use {@link exportToOpenTelemetry}, which goes through the API. The values are always cumulative, whatever temporality the
 * exporter prefers.
 *
 * @see https://opentelemetry.io/docs/specs/otel/metrics/sdk/#metricproducer
 * @example
 * new PeriodicExportingMetricReader({ exporter, metricProducers: [openTelemetryProducer()] })
 */
export function openTelemetryProducer(): OpenTelemetryProducer {
  return {
    async collect() {
      const times = { startTime: hrTime(performance.timeOrigin), endTime: hrTime(Date.now()) }
      const families = readMetrics(snapshotPools(), CONVENTIONAL_METRICS)
      const metrics = CONVENTIONAL_METRICS.map((metric, i) => ({
        ...describe(metric),
        dataPoints: (families[i]?.samples ?? []).map((sample) => ({
          ...times,
          attributes: attributesOf(sample),
          value: pointValue(sample),
        })),
      })).filter(({ dataPoints }) => dataPoints.length > 0)
      // The reader replaces this resource by its own.
      const resourceMetrics = {
        resource: { attributes: {} },
        scopeMetrics: [{ scope: { name: 'poolguard' }, metrics }],
      }
      return { resourceMetrics, errors: [] }
    },
  }
}

function describe({ convention, type, help }: ConventionalMetric): object {
  return {
    descriptor: { ...convention, description: help, valueType: DOUBLE },
    aggregationTemporality: CUMULATIVE,
    ...(type === 'histogram' ? { dataPointType: HISTOGRAM } : { dataPointType: SUM, isMonotonic: type === 'counter' }),
  }
}

function pointValue({ value }: MetricSample): number | object {
  return typeof value === 'number' ? value : histogramOf(value)
}

function histogramOf({ count, sumMillis, buckets }: Durations): object {
  return { count, sum: sumMillis / 1_000, buckets: { boundaries: BOUNDARIES, counts: buckets } }
}

/** Seconds, and nanoseconds beyond them. */
function hrTime(millis: number): [seconds: number, nanos: number] {
  const seconds = Math.floor(millis / 1_000)
  return [seconds, Math.round((millis - seconds * 1_000) * 1e6)]
}
