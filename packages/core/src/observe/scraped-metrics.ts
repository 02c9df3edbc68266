import { type Clock, systemClock } from '../clock.ts'
import { InvalidAnswerError } from '../invalid-answer-error.ts'
import { InvalidOptionError, requireDuration } from '../invalid-option-error.ts'
import type { MetricDescription } from './metric-definitions.ts'
import type { MetricFamily } from './metric-family.ts'

const INTERVAL_MILLIS = 10_000
/** Well below the ten seconds that Prometheus gives a page. */
const TIMEOUT_MILLIS = 2_000
/** A question that has been open for so many timeouts will not be answered any more. */
const MAX_TIMEOUTS = 10

/** The label that every metric of a source has. */
export const SOURCE_LABEL = 'source'

/** What is told of a source by itself. */
export const SOURCE_UP: MetricDescription = {
  name: 'poolguard_source_up',
  type: 'gauge',
  help: 'Whether the database or the pooler answered when it was last asked for its figures.',
}

export interface ScrapeOptions {
  /** Tells its series from those of other sources, as their label `SOURCE_LABEL`. */
  readonly source: string
  /** What was asked less than this ago is answered from memory. Default: 10 000. */
  readonly intervalMillis?: number | undefined
  /** How long the source may take to answer. Default: 2 000. */
  readonly timeoutMillis?: number | undefined
}

/** Metrics that have to be asked for elsewhere: at most once per interval, however many ask, and one question at a time. */
export class ScrapedMetrics {
  readonly #collect: () => Promise<readonly MetricFamily[]>
  /** What its series have as their label `SOURCE_LABEL`. */
  readonly source: string
  readonly #intervalMillis: number
  readonly #timeoutMillis: number
  readonly #clock: Clock
  #askedAt = -Infinity
  #warned = false
  /** When the question began that has no answer yet. */
  #openSince: number | undefined
  #answer: Promise<readonly MetricFamily[]> = Promise.resolve([])

  /** @throws {InvalidOptionError} for a name or an interval that cannot be meant. */
  constructor(
    collect: () => Promise<readonly MetricFamily[]>,
    { source, intervalMillis = INTERVAL_MILLIS, timeoutMillis = TIMEOUT_MILLIS }: ScrapeOptions,
    /** @internal */ clock: Clock = systemClock,
  ) {
    this.#collect = collect
    this.#clock = clock
    // Without a name it would be taken for a page of pgbouncer_exporter.
    if (typeof source !== 'string' || source === '') {
      throw new InvalidOptionError('source', source, 'a text that is not empty')
    }
    requireDuration('intervalMillis', intervalMillis)
    requireDuration('timeoutMillis', timeoutMillis)
    this.source = source
    this.#intervalMillis = intervalMillis
    this.#timeoutMillis = timeoutMillis
  }

  /** Never rejects: a source that does not answer in time shows by `poolguard_source_up` 0, and the rest of the page stays. */
  read(): Promise<readonly MetricFamily[]> {
    const now = this.#clock.now()
    if (now - this.#askedAt >= this.#intervalMillis) {
      this.#askedAt = now
      this.#answer = this.#ask()
    }
    return this.#answer
  }

  async #ask(): Promise<readonly MetricFamily[]> {
    const labels = { [SOURCE_LABEL]: this.source }
    // A question that is still open would only get company.
    const families = this.#isOpen() ? undefined : await this.#collectInTime()
    const up: MetricFamily = { ...SOURCE_UP, samples: [{ labels, value: families ? 1 : 0 }] }
    const told = families?.map(({ samples, ...family }) => ({
      ...family,
      // Two sources may have the same metric, and two series must not have the same labels.
      samples: samples.map((sample) => ({ ...sample, labels: { ...labels, ...sample.labels } })),
    }))
    return [up, ...(told ?? [])]
  }

  async #collectInTime(): Promise<readonly MetricFamily[] | undefined> {
    const since = this.#clock.now()
    this.#openSince = since
    const families = Promise.resolve()
      .then(this.#collect)
      .catch((error) => this.#warnOfNonsense(error))
      .finally(() => {
        // Unless it was given up, and another one asked.
        if (this.#openSince === since) this.#openSince = undefined
      })
    const { promise: late, resolve } = Promise.withResolvers<undefined>()
    const cancel = this.#clock.after(this.#timeoutMillis, () => resolve(undefined))
    return Promise.race([families, late]).finally(cancel)
  }

  /** A source that is away shows by its metric; one that talks nonsense is seldom what was meant. */
  #warnOfNonsense(error: unknown): undefined {
    if (!(error instanceof InvalidAnswerError) || this.#warned) return
    this.#warned = true
    process.emitWarning(`Metrics of "${this.source}" are left out. ${error.message}`, 'PoolguardWarning')
  }

  #isOpen(): boolean {
    if (this.#openSince === undefined) return false
    return this.#clock.now() - this.#openSince < this.#timeoutMillis * MAX_TIMEOUTS
  }
}
