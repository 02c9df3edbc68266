import type { LabelledRun, LeaseObserver, PoolWaste, TrackedLease } from '../../pool/index.ts'
import type { InsightRecorder } from './insight-recorder.ts'
import type { LeaseTimes } from './lease-times.ts'
import type { InsightSummary, PoolInsight } from './pool-insight.ts'
import type { MeterSource } from './session-meter.ts'

/** Callers that are remembered until the recorder is loaded, which takes milliseconds. */
const MAX_CALLERS = 1_000
/** Stacks that are captured until then: as many as the recorder captures at once. */
const MAX_TRACES = 100

const NO_TIMES: LeaseTimes = { statementMillis: 0, idleInTransactionMillis: 0, idleMillis: 0, ownCpuMillis: 0 }
const NO_SUMMARY: InsightSummary = { times: NO_TIMES, timesByLabel: {}, findings: [] }
const NO_INSIGHT: PoolInsight = {
  ...{ windowMillis: 0, times: NO_TIMES, capacityShare: 0 },
  ...{ labels: [], lanes: [], operations: [], statements: [], findings: [] },
}

interface EarlyCaller {
  readonly run: LabelledRun | undefined
  readonly askedAt: number
}

/**
 * The insight of a pool that loads its recorder while it opens the first connection. Callers ask before that: they are remembered, and the
 * recorder learns of them when it is there. Leases and statements need a connection.
 */
export class LoadingInsight<R> implements LeaseObserver<R> {
  #recorder: InsightRecorder<R> | undefined
  readonly #early: EarlyCaller[] = []
  #tracesLeft: number
  #onAnswered: MeterSource['onAnswered']

  /** @param capturesStacks false: no stack is captured, so that findings show no line. */
  constructor(capturesStacks: boolean) {
    this.#tracesLeft = capturesStacks ? MAX_TRACES : 0
  }

  /** Call it before the pool has its first connection. */
  load(recorder: InsightRecorder<R>): void {
    for (const { run, askedAt } of this.#early.splice(0)) recorder.asks(run, askedAt)
    recorder.onAnswered = this.#onAnswered
    this.#recorder = recorder
  }

  /** @param listener is called for each statement that the server has answered. */
  onAnswered(listener: MeterSource['onAnswered']): void {
    this.#onAnswered = listener
    if (this.#recorder) this.#recorder.onAnswered = listener
  }

  get wantsUnlabelled(): boolean {
    return this.#recorder?.wantsUnlabelled ?? true
  }

  asks(run: LabelledRun | undefined, now: number): boolean {
    if (this.#recorder) return this.#recorder.asks(run, now)
    if (this.#early.length < MAX_CALLERS) this.#early.push({ run, askedAt: now })
    return this.#mayTrace()
  }

  begin(lease: TrackedLease<R>): void {
    this.#recorder?.begin(lease)
  }

  end(lease: TrackedLease<R>, now: number): void {
    this.#recorder?.end(lease, now)
  }

  waste(): PoolWaste | undefined {
    return this.#recorder?.waste()
  }

  /** See {@link InsightRecorder.wantsStackOf}. */
  wantsStackOf(query: string | object): boolean {
    return this.#recorder ? this.#recorder.wantsStackOf(query) : this.#mayTrace()
  }

  summary(): InsightSummary {
    return this.#recorder?.summary() ?? NO_SUMMARY
  }

  read(): PoolInsight {
    return this.#recorder?.read() ?? NO_INSIGHT
  }

  #mayTrace(): boolean {
    if (this.#tracesLeft === 0) return false
    this.#tracesLeft--
    return true
  }
}
