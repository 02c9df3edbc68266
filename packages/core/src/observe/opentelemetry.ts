import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { DURATION_BOUNDS_MILLIS } from '../pool/index.ts'
import { readMetrics } from './metric-family.ts'
import { type Attributes, attributesOf, CONVENTIONAL_METRICS, POOL_ATTRIBUTE } from './opentelemetry-naming.ts'
import { snapshotPools } from './registry.ts'

/** An instrument, which only the meter that made it can read. */
// biome-ignore lint/suspicious/noExplicitAny: its type is a class of the SDK's own.
type Observable = any

/** What is needed of a Meter of @opentelemetry/api. */
export interface OpenTelemetryMeter {
  createHistogram(name: string, options?: object): { record(value: number, attributes?: Attributes): void }
  createObservableUpDownCounter(name: string, options?: object): Observable
  createObservableCounter(name: string, options?: object): Observable
  addBatchObservableCallback(callback: BatchCallback, observables: Observable[]): void
  removeBatchObservableCallback(callback: BatchCallback, observables: Observable[]): void
}

type BatchCallback = (result: { observe(observable: Observable, value: number, attributes?: Attributes): void }) => void

/** The channels that tell each duration as it happens, and how they call it. */
const DURATIONS: Readonly<Record<string, readonly [channel: string, field: string]>> = {
  'db.client.connection.create_time': ['poolguard:opened', 'millis'],
  'db.client.connection.wait_time': ['poolguard:acquire', 'waitedMillis'],
  'db.client.connection.use_time': ['poolguard:release', 'usedMillis'],
}

/**
 * Makes the nine instruments of OpenTelemetry's conventions for connection pools, for every pool of this process.
 * @opentelemetry/instrumentation-pg makes two of them, and mixes up several pools. Each checkout is recorded twice, at half
 * a microsecond together: where the app sets up its own reader, {@link openTelemetryProducer} costs queries nothing.
 *
 * @param meter `metrics.getMeter('poolguard')` of @opentelemetry/api.
 * @returns takes them off again.
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
  const stops = CONVENTIONAL_METRICS.flatMap(({ convention, help }) => {
    const [channel, field] = DURATIONS[convention.name] ?? []
    if (channel === undefined || field === undefined) return []
    const histogram = meter.createHistogram(convention.name, {
      unit: convention.unit,
      description: help,
      // The SDK's own are meant for milliseconds.
      advice: { explicitBucketBoundaries: DURATION_BOUNDS_MILLIS.map((millis) => millis / 1_000) },
    })
    const record = (message: unknown) => {
      const told = message as Record<string, unknown>
      histogram.record((told[field] as number) / 1_000, { [POOL_ATTRIBUTE]: told.pool as string })
    }
    subscribe(channel, record)
    return [() => unsubscribe(channel, record)]
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
