import type { MetricDefinition, MetricDescription, MetricSample } from './metric.ts'
import { METRICS } from './metric-definitions.ts'
import { type MetricFamily, readMetrics } from './metric-family.ts'
import { BUCKETS, cumulate } from './prometheus.ts'
import { snapshotPools } from './registry.ts'
import { PROCESS_METRICS } from './shed-requests.ts'

/** The methods of a prom-client registry that poolguard uses. */
export interface PrometheusRegistry {
  registerMetric(metric: never): void
  removeSingleMetric(name: string): void
}

interface Value {
  readonly value: number
  readonly labels: Readonly<Record<string, string>>
  readonly metricName?: string
}

/** A metric in prom-client's shape, which reads its values when the registry collects them. */
class RegisteredMetric {
  /** Mutable: for OpenMetrics, prom-client strips `_total` from it, and appends it again when it writes the values. */
  name: string
  readonly help: string
  readonly type: MetricDescription['type']
  readonly aggregator: 'sum' | 'max'
  readonly #samples: () => readonly MetricSample[]
  readonly #fullName: string

  constructor({ name, help, type }: MetricDescription, combine: 'sum' | 'max', samples: () => readonly MetricSample[]) {
    this.name = name
    this.help = help
    this.type = type
    this.aggregator = combine
    this.#samples = samples
    this.#fullName = name
  }

  async get(): Promise<object> {
    const values = this.#samples().flatMap((sample) => valuesOf(this.#fullName, sample))
    return { name: this.name, help: this.help, type: this.type, aggregator: this.aggregator, values }
  }

  /** Does nothing: the counts belong to the pools. */
  reset(): void {}
}

function valuesOf(name: string, { labels, value }: MetricSample): Value[] {
  if (typeof value === 'number') return [{ value, labels }]
  return [
    ...cumulate(value).map((count, i) => ({
      value: count,
      labels: { ...labels, le: BUCKETS[i] as string },
      metricName: `${name}_bucket`,
    })),
    { value: value.sumMillis / 1_000, labels, metricName: `${name}_sum` },
    { value: value.count, labels, metricName: `${name}_count` },
  ]
}

/**
 * Registers the metrics of this process and its pools with a registry of the app, such as prom-client's.
 *
 * @returns a function that removes the metrics from the registry.
 * @throws the registry's error if one of the names is already registered; then no metric is registered.
 * @example
 * import { register } from 'prom-client'
 *
 * registerMetrics(register)
 */
export function registerMetrics(registry: PrometheusRegistry): () => void {
  const reading = new SharedReading()
  const metrics = [
    ...METRICS.map((each) => new RegisteredMetric(each, each.combine ?? 'sum', () => reading.samplesOf(each))),
    ...PROCESS_METRICS.map((each) => new RegisteredMetric(each, 'sum', () => each.read())),
  ]
  const names: string[] = []
  const remove = () => {
    for (const name of names.splice(0)) registry.removeSingleMetric(name)
  }
  try {
    for (const metric of metrics) {
      const { name } = metric
      registry.registerMetric(metric as never)
      names.push(name)
    }
  } catch (error) {
    remove()
    throw error
  }
  return remove
}

/** A registry reads its metrics one by one, in the same tick: the pools are read once for all of them. */
class SharedReading {
  #families: readonly MetricFamily[] | undefined

  samplesOf({ name }: MetricDefinition): readonly MetricSample[] {
    if (!this.#families) {
      this.#families = readMetrics(snapshotPools())
      queueMicrotask(() => {
        this.#families = undefined
      })
    }
    return this.#families.find((family) => family.name === name)?.samples ?? []
  }
}
