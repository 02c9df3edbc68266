import { type Clock, systemClock } from '../clock.ts'
import { InvalidAnswerError } from '../invalid-answer-error.ts'
import { InvalidOptionError, requireDuration } from '../invalid-option-error.ts'
import type { MetricDescription } from './metric-definitions.ts'
import type { MetricFamily } from './metric-family.ts'

const INTERVAL_MILLIS = 10_000
/** Well below Prometheus' default scrape timeout of 10 seconds. */
const TIMEOUT_MILLIS = 2_000
/** After this many timeouts a pending query is given up, and the source is queried again. */
const MAX_TIMEOUTS = 10

/** The label of the source, on every metric of a source. */
export const SOURCE_LABEL = 'source'

/** The metric that every source has. */
export const SOURCE_UP: MetricDescription = {
  name: 'poolguard_source_up',
  type: 'gauge',
  help: '1 if the database or pooler answered the last query for its metrics, else 0.',
}

export interface ScrapeOptions {
  /** A unique name of the source: the value of the label `SOURCE_LABEL` of its series. */
  readonly source: string
  /** Answers younger than this are reused. Default: 10 000. */
  readonly intervalMillis?: number | undefined
  /** How long the source may take to answer. Default: 2 000. */
  readonly timeoutMillis?: number | undefined
}

/** Metrics of another server. It is queried at most once per interval, and with one query at a time. */
export class ScrapedMetrics {
  readonly #collect: () => Promise<readonly MetricFamily[]>
  /** The value of the label `SOURCE_LABEL` of its series. */
  readonly source: string
  readonly #intervalMillis: number
  readonly #timeoutMillis: number
  readonly #clock: Clock
  #queriedAt = -Infinity
  #warned = false
  /** When the pending query was started. */
  #pendingSince: number | undefined
  #answer: Promise<readonly MetricFamily[]> = Promise.resolve([])

  /** @throws {InvalidOptionError} for an invalid source name, interval or timeout. */
  constructor(
    collect: () => Promise<readonly MetricFamily[]>,
    { source, intervalMillis = INTERVAL_MILLIS, timeoutMillis = TIMEOUT_MILLIS }: ScrapeOptions,
    /** @internal */ clock: Clock = systemClock,
  ) {
    this.#collect = collect
    this.#clock = clock
    // The alerts take metrics without a source for those of pgbouncer_exporter.
    if (typeof source !== 'string' || source === '') {
      throw new InvalidOptionError('source', source, 'a non-empty string')
    }
    requireDuration('intervalMillis', intervalMillis)
    requireDuration('timeoutMillis', timeoutMillis)
    this.source = source
    this.#intervalMillis = intervalMillis
    this.#timeoutMillis = timeoutMillis
  }

  /** Never rejects: if the source does not answer in time, `poolguard_source_up` is 0 and the rest of the page is unaffected. */
  read(): Promise<readonly MetricFamily[]> {
    const now = this.#clock.now()
    if (now - this.#queriedAt >= this.#intervalMillis) {
      this.#queriedAt = now
      this.#answer = this.#query()
    }
    return this.#answer
  }

  async #query(): Promise<readonly MetricFamily[]> {
    const labels = { [SOURCE_LABEL]: this.source }
    // Do not add a second query while one is pending.
    const families = this.#isPending() ? undefined : await this.#collectWithTimeout()
    const up: MetricFamily = { ...SOURCE_UP, samples: [{ labels, value: families ? 1 : 0 }] }
    const labelled = families?.map(({ samples, ...family }) => ({
      ...family,
      // Two sources may have the same metric, but two series must not have the same labels.
      samples: samples.map((sample) => ({ ...sample, labels: { ...labels, ...sample.labels } })),
    }))
    return [up, ...(labelled ?? [])]
  }

  async #collectWithTimeout(): Promise<readonly MetricFamily[] | undefined> {
    const since = this.#clock.now()
    this.#pendingSince = since
    const families = Promise.resolve()
      .then(this.#collect)
      .catch((error) => this.#warnInvalidAnswer(error))
      .finally(() => {
        // Not if this query was given up and another one started.
        if (this.#pendingSince === since) this.#pendingSince = undefined
      })
    const { promise: timeout, resolve } = Promise.withResolvers<undefined>()
    const cancel = this.#clock.after(this.#timeoutMillis, () => resolve(undefined))
    return Promise.race([families, timeout]).finally(cancel)
  }

  /** `poolguard_source_up` shows an unreachable source; an invalid answer usually means a wrong address and produces a warning. */
  #warnInvalidAnswer(error: unknown): undefined {
    if (!(error instanceof InvalidAnswerError) || this.#warned) return
    this.#warned = true
    process.emitWarning(`The metrics page omits the metrics of "${this.source}". ${error.message}`, 'PoolguardWarning')
  }

  #isPending(): boolean {
    if (this.#pendingSince === undefined) return false
    return this.#clock.now() - this.#pendingSince < this.#timeoutMillis * MAX_TIMEOUTS
  }
}
