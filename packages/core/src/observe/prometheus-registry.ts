import { METRICS, type MetricDefinition, type Sample } from './metric-definitions.ts'
import { readMetrics } from './metric-family.ts'
import { cumulate } from './prometheus.ts'
import { snapshotPools } from './registry.ts'

/** What is needed of a registry such as prom-client's. */
export interface PrometheusRegistry {
  registerMetric(metric: never): void
  removeSingleMetric(name: string): void
}

interface Value {
  readonly value: number
  readonly labels: Readonly<Record<string, string>>
  readonly metricName?: string
}

/** A metric in prom-client's shape, which reads the pools when it is asked. */
class PoolMetric {
  /** prom-client takes the `_total` off it for OpenMetrics, and puts it back where it writes the values. */
  name: string
  readonly help: string
  readonly type: MetricDefinition['type']
  readonly aggregator: 'sum' | 'max'
  readonly #definition: MetricDefinition

  constructor(definition: MetricDefinition) {
    this.name = definition.name
    this.help = definition.help
    this.type = definition.type
    this.aggregator = definition.combine ?? 'sum'
    this.#definition = definition
  }

  async get(): Promise<object> {
    const [family] = readMetrics(snapshotPools(), [this.#definition])
    const values = family?.samples.flatMap((sample) => valuesOf(this.#definition.name, sample))
    return { name: this.name, help: this.help, type: this.type, aggregator: this.aggregator, values }
  }

  /** Counts belong to the pools. */
  reset(): void {}
}

function valuesOf(name: string, { labels, value }: Sample): Value[] {
  if (typeof value === 'number') return [{ value, labels }]
  return [
    ...cumulate(value).map(([le, count]) => ({
      value: count,
      labels: { ...labels, le },
      metricName: `${name}_bucket`,
    })),
    { value: value.sumMillis / 1_000, labels, metricName: `${name}_sum` },
    { value: value.count, labels, metricName: `${name}_count` },
  ]
}

/**
 * Enters the metrics of every pool of this process into a registry that the app has already, such as prom-client's.
 *
 * @returns takes them out again.
 * @throws what the registry throws where they are in it already.
 * @example
 * import { register } from 'prom-client'
 *
 * registerMetrics(register)
 */
export function registerMetrics(registry: PrometheusRegistry): () => void {
  for (const definition of METRICS) registry.registerMetric(new PoolMetric(definition) as never)
  return () => {
    for (const { name } of METRICS) registry.removeSingleMetric(name)
  }
}
