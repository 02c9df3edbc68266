import { requireMillis } from '../invalid-option-error.ts'
import type { MetricFamily } from './metric-family.ts'

const INTERVAL_MILLIS = 10_000

export interface ScrapeOptions {
  /** Tells this source from others in `poolguard_source_up`. */
  readonly source: string
  /** What was asked less than this ago is answered from memory. Default: 10 000. */
  readonly intervalMillis?: number
}

/** Metrics that have to be asked for elsewhere: at most once per interval, however many ask. */
export class ScrapedMetrics {
  readonly #collect: () => Promise<readonly MetricFamily[]>
  readonly #source: string
  readonly #intervalMillis: number
  #askedAt = -Infinity
  #answer: Promise<readonly MetricFamily[]> = Promise.resolve([])

  /** @throws {InvalidOptionError} for an interval that cannot be meant. */
  constructor(collect: () => Promise<readonly MetricFamily[]>, options: ScrapeOptions) {
    requireMillis('intervalMillis', options.intervalMillis ?? INTERVAL_MILLIS)
    this.#collect = collect
    this.#source = options.source
    this.#intervalMillis = options.intervalMillis ?? INTERVAL_MILLIS
  }

  /** Never rejects: a source that does not answer shows by `poolguard_source_up` 0, and the rest of the page stays. */
  read(): Promise<readonly MetricFamily[]> {
    if (performance.now() - this.#askedAt >= this.#intervalMillis) {
      this.#askedAt = performance.now()
      this.#answer = this.#ask()
    }
    return this.#answer
  }

  async #ask(): Promise<readonly MetricFamily[]> {
    const families = await Promise.resolve()
      .then(this.#collect)
      .catch(() => undefined)
    const up: MetricFamily = {
      name: 'poolguard_source_up',
      type: 'gauge',
      help: 'Whether the database or the pooler answered when it was last asked for its figures.',
      samples: [{ labels: { source: this.#source }, value: families ? 1 : 0 }],
    }
    return [up, ...(families ?? [])]
  }
}
