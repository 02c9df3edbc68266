import { type Clock, systemClock } from '../clock.ts'
import { InvalidAnswerError } from '../invalid-answer-error.ts'
import { InvalidOptionError, requireDuration } from '../invalid-option-error.ts'
import type { MetricDescription } from './metric.ts'
import type { MetricFamily } from './metric-family.ts'
import { PatientQuery } from './patient-query.ts'
import type { LockReport, SourceReport } from './source-report.ts'

const INTERVAL_MILLIS = 10_000
/** Well below Prometheus' default scrape timeout of 10 seconds. */
const TIMEOUT_MILLIS = 2_000
/** The live page reads more often than Prometheus. */
const REPORT_INTERVAL_MILLIS = 2_000

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

/** A session of a server, as its report names it. */
export type NamedSession = Pick<LockReport, 'pid'> & { readonly startedAt: string }

/** What the live page reads from a source, and does there. */
export interface LiveSource {
  report(): Promise<SourceReport>
  /** False if the session has ended already. */
  terminate?(session: NamedSession): Promise<boolean>
}

/** Metrics of another server. It is queried at most once per interval, and with one query at a time. */
export class ScrapedMetrics {
  /** The value of the label `SOURCE_LABEL` of its series. */
  readonly source: string
  readonly #metrics: PatientQuery<readonly MetricFamily[]>
  readonly #report: PatientQuery<SourceReport> | undefined
  /**
   * Ends a session of the server, for the live page: false if it has ended already. Rejects with the server's error. Undefined for a source
   * without sessions.
   */
  readonly terminate: LiveSource['terminate']
  #hasWarned = false

  /**
   * @param live what the live page shows of the source; undefined if it shows nothing.
   * @throws {InvalidOptionError} for an invalid source name, interval or timeout.
   */
  constructor(
    collect: () => Promise<readonly MetricFamily[]>,
    { source, intervalMillis = INTERVAL_MILLIS, timeoutMillis = TIMEOUT_MILLIS }: ScrapeOptions,
    live?: LiveSource,
    /** @internal */ clock: Clock = systemClock,
  ) {
    // The alerts take metrics without a source for those of pgbouncer_exporter.
    if (typeof source !== 'string' || source === '') {
      throw new InvalidOptionError('source', source, 'a non-empty string')
    }
    requireDuration('intervalMillis', intervalMillis)
    requireDuration('timeoutMillis', timeoutMillis)
    this.source = source
    const options = { timeoutMillis, clock, onError: (error: unknown) => this.#warnInvalidAnswer(error) }
    this.#metrics = new PatientQuery(async () => this.#label(await collect()), { ...options, intervalMillis })
    this.terminate = live?.terminate?.bind(live)
    if (live)
      this.#report = new PatientQuery(() => live.report(), { ...options, intervalMillis: REPORT_INTERVAL_MILLIS })
  }

  /** Never rejects: if the source does not answer in time, `poolguard_source_up` is 0 and the rest of the page is unaffected. */
  async read(): Promise<readonly MetricFamily[]> {
    return (await this.#metrics.read()) ?? [this.#up(0)]
  }

  /** Its sessions or pools, for the live page. Never rejects: undefined if the source does not answer in time. */
  async report(): Promise<SourceReport | undefined> {
    return this.#report?.read()
  }

  /** Two sources may have the same metric, but two series must not have the same labels. */
  #label(families: readonly MetricFamily[]): readonly MetricFamily[] {
    const labelled = families.map(({ samples, ...family }) => ({
      ...family,
      samples: samples.map((sample) => ({ ...sample, labels: { [SOURCE_LABEL]: this.source, ...sample.labels } })),
    }))
    return [this.#up(1), ...labelled]
  }

  #up(value: 0 | 1): MetricFamily {
    return { ...SOURCE_UP, samples: [{ labels: { [SOURCE_LABEL]: this.source }, value }] }
  }

  /** `poolguard_source_up` shows an unreachable source; an invalid answer usually means a wrong address and produces a warning. */
  #warnInvalidAnswer(error: unknown): void {
    if (!(error instanceof InvalidAnswerError) || this.#hasWarned) return
    this.#hasWarned = true
    process.emitWarning(`The metrics page omits the metrics of "${this.source}". ${error.message}`, 'PoolguardWarning')
  }
}
