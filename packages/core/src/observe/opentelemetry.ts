import { DURATION_BOUNDS_MILLIS, POOL_ATTRIBUTE } from '../pool/index.ts'
import { readMetrics } from './metric-family.ts'
import { type Attributes, attributesOf, CONVENTIONAL_METRICS } from './opentelemetry-naming.ts'
import { snapshotPools } from './registry.ts'

/** An instrument, opaque except to the meter that created it. */
// biome-ignore lint/suspicious/noExplicitAny: its type is a class of the SDK.
type Observable = any

/** The methods of a Meter of @opentelemetry/api that poolguard uses. */
export interface OpenTelemetryMeter {
  createHistogram(name: string, options?: object): { record(value: number, attributes?: Attributes): void }
  createObservableUpDownCounter(name: string, options?: object): Observable
  createObservableCounter(name: string, options?: object): Observable
  addBatchObservableCallback(callback: BatchCallback, observables: Observable[]): void
  removeBatchObservableCallback(callback: BatchCallback, observables: Observable[]): void
}

type BatchCallback = (result: { observe(observable: Observable, value: number, attributes?: Attributes): void }) => void

/** The diagnostics channel of each duration, and the field of its messages. */
const DURATIONS: Readonly<Record<string, readonly [channel: string, field: string]>> = {
  'db.client.connection.create_time': ['poolguard:opened', 'millis'],
  'db.client.connection.wait_time': ['poolguard:acquire', 'waitedMillis'],
  'db.client.connection.use_time': ['poolguard:release', 'usedMillis'],
}

/**
 * Creates the nine instruments of OpenTelemetry's semantic conventions for connection pools, for every pool of this process.
 * (@opentelemetry/instrumentation-pg creates two of them and does not separate pools.) Each checkout is recorded twice, which
 * costs half a microsecond in total. If your app sets up its own reader, use {@link openTelemetryProducer}, which costs
 * queries nothing.
 *
 * @param meter `metrics.getMeter('poolguard')` of @opentelemetry/api.
 * @returns a function that stops the export.
 * @see https://opentelemetry.io/docs/specs/semconv/database/database-metrics/#connection-pools
 * @example
 * import { metrics } from '@opentelemetry/api'
 *
 * exportToOpenTelemetry(metrics.getMeter('poolguard'))
 */
export function exportToOpenTelemetry(meter: OpenTelemetryMeter): () => void {
  const stopHistograms = recordDurations(meter)
  const stopObservables = observeFigures(meter)
  return () => {
    stopHistograms()
    stopObservables()
  }
}

function recordDurations(meter: OpenTelemetryMeter): () => void {
  const diagnostics = process.getBuiltinModule('node:diagnostics_channel')
  const stops = CONVENTIONAL_METRICS.flatMap(({ convention, help }) => {
    const [channel, field] = DURATIONS[convention.name] ?? []
    if (channel === undefined || field === undefined) return []
    const histogram = meter.createHistogram(convention.name, {
      unit: convention.unit,
      description: help,
      // The SDK's default boundaries are in milliseconds.
      advice: { explicitBucketBoundaries: DURATION_BOUNDS_MILLIS.map((millis) => millis / 1_000) },
    })
    const record = (message: unknown) => {
      const event = message as Record<string, unknown>
      histogram.record((event[field] as number) / 1_000, { [POOL_ATTRIBUTE]: event.pool as string })
    }
    diagnostics.subscribe(channel, record)
    return [() => diagnostics.unsubscribe(channel, record)]
  })
  return () => {
    for (const stop of stops) stop()
  }
}

function observeFigures(meter: OpenTelemetryMeter): () => void {
  const observed = CONVENTIONAL_METRICS.filter(({ type }) => type !== 'histogram')
  const observables = new Map(
    observed.map(({ name, type, convention, help }) => {
      const options = { unit: convention.unit, description: help }
      const observable =
        type === 'counter'
          ? meter.createObservableCounter(convention.name, options)
          : meter.createObservableUpDownCounter(convention.name, options)
      return [name, observable] as const
    }),
  )
  const all = [...observables.values()]
  const observe: BatchCallback = (result) => {
    for (const { name, samples } of readMetrics(snapshotPools(), observed)) {
      const observable = observables.get(name)
      if (!observable) continue
      for (const { labels, value } of samples) {
        result.observe(observable, value as number, attributesOf({ labels, value }))
      }
    }
  }
  meter.addBatchObservableCallback(observe, all)
  return () => meter.removeBatchObservableCallback(observe, all)
}
