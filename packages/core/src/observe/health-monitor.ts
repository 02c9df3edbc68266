import { requireDuration } from '../invalid-option-error.ts'
import { completeThresholds } from './complete-thresholds.ts'
import { evaluateHealth, type Health, WINDOW_MILLIS } from './health.ts'
import { type HealthCounters, healthCounters } from './health-measures.ts'
import type { HealthThresholds } from './health-thresholds.ts'
import { type HealthStatus, worstOf } from './health-verdict.ts'
import type { InsightSummary } from './insight/index.ts'
import { listPools } from './registry.ts'
import type { ObservedPool } from './snapshot.ts'

const RECOVERY_MILLIS = 5_000
/** Limits the samples kept per window, however often `check` runs. */
const SAMPLES_PER_WINDOW = 30
/** Samples older than this many windows are dropped. Younger ones start the window if `check` runs rarely. */
const MAX_WINDOWS = 4

/** Findings of the insight that explain the state of a pool: a few, of labels with at least this share of the time of all leases. */
const MAX_CAUSES = 3
const MIN_CAUSE_SHARE = 0.1

export interface HealthMonitorOptions {
  /** Thresholds that replace the defaults, which `docs/options.md` lists. */
  readonly thresholds?: Partial<HealthThresholds>
  /**
   * Only events within this time count. If `check` runs less often, the time since the previous check counts instead, up to
   * four windows. Default: 30 000.
   */
  readonly windowMillis?: number
  /** A pool's status improves only after it has been better for this long; it worsens immediately. Default: 5 000. */
  readonly recoveryMillis?: number
  /** The pools to check. Default: all pools of the process. */
  readonly pools?: () => readonly ObservedPool[]
}

/** The health of one pool, by its name. */
export interface PoolHealth extends Pick<Health, 'status' | 'reasons'> {
  readonly name: string
}

/** The health of a process: its status is that of its worst pool. */
export interface ProcessHealth {
  readonly status: HealthStatus
  readonly pools: readonly PoolHealth[]
}

/** State that the monitor keeps of a pool between checks. */
interface PoolHistory {
  /** In chronological order. */
  readonly samples: HealthCounters[]
  measures: Health['measures'] | undefined
}

/**
 * Checks the health of pools over a time window. It works only when you call `check`. The result is not the health of the
 * database or of the process: it says whether this process gets the connections that it needs.
 *
 * @throws {InvalidOptionError} for an invalid threshold, window or recovery time.
 * @example
 * const monitor = new HealthMonitor({ thresholds: { waiters: { warning: 50, critical: 200 } } })
 * monitor.check() // { status: 'warning', pools: [{ name: 'orders', status: 'warning', reasons: ['61 callers wait ...'] }] }
 */
export class HealthMonitor {
  readonly #thresholds: HealthThresholds
  readonly #windowMillis: number
  readonly #recoveryMillis: number
  readonly #pools: () => readonly ObservedPool[]
  readonly #histories = new WeakMap<ObservedPool, PoolHistory>()

  constructor(options: HealthMonitorOptions = {}) {
    const {
      thresholds = {},
      windowMillis = WINDOW_MILLIS,
      recoveryMillis = RECOVERY_MILLIS,
      pools = listPools,
    } = options
    requireDuration('windowMillis', windowMillis)
    requireDuration('recoveryMillis', recoveryMillis)
    this.#thresholds = completeThresholds(thresholds)
    this.#windowMillis = windowMillis
    this.#recoveryMillis = recoveryMillis
    this.#pools = pools
  }

  check(): ProcessHealth {
    const pools = this.#pools().map((pool) => this.#checkOne(pool))
    return { status: worstOf(pools.map(({ status }) => status)), pools }
  }

  #checkOne(pool: ObservedPool): PoolHealth {
    const { name, stats, wal, insight, routing, isReplica = false } = pool.snapshot()
    const history = this.#histories.get(pool) ?? { samples: [], measures: undefined }
    this.#histories.set(pool, history)
    const before = this.#startOfWindow(history, healthCounters(stats))
    const health = evaluateHealth({
      ...{ stats, before, windowMillis: this.#windowMillis, previous: history.measures },
      ...{ thresholds: this.#thresholds, recoveryMillis: this.#recoveryMillis },
    })
    history.measures = health.measures
    const reasons = health.status === 'healthy' ? health.reasons : [...health.reasons, ...causesOf(insight)]
    // Never critical: other servers take over the reads of a replica.
    const status = isReplica && health.status === 'critical' ? 'warning' : health.status
    const ofReplicas = (routing?.replicas ?? []).map(({ problem }) => problem && `reads do not use ${problem}`)
    const problems = [wal?.problem ?? null, ...ofReplicas].filter((problem) => problem !== null)
    if (problems.length === 0) return { name, status, reasons }
    // Never critical: taking the instance out of rotation would not shrink the WAL, nor bring a replica back.
    return { name, status: worstOf([status, 'warning']), reasons: [...reasons, ...problems] }
  }

  /**
   * The latest sample that is at least a window old; without one, the oldest sample, which may be the current one. Drops older
   * samples.
   */
  #startOfWindow({ samples }: PoolHistory, now: HealthCounters): HealthCounters {
    const ageOf = (sample: HealthCounters) => now.takenAtMillis - sample.takenAtMillis
    const latestBefore = samples.findLastIndex((sample) => ageOf(sample) >= this.#windowMillis)
    if (latestBefore > 0) samples.splice(0, latestBefore)
    if (samples[0] && ageOf(samples[0]) > MAX_WINDOWS * this.#windowMillis) samples.shift()
    const last = samples.at(-1)
    if (!last || ageOf(last) >= this.#windowMillis / SAMPLES_PER_WINDOW) samples.push(now)
    return samples[0] ?? now
  }
}

/** Code of the app that uses much of the pool's time; the other findings are in the snapshot. */
function causesOf(insight: InsightSummary | undefined): string[] {
  const large = (insight?.findings ?? []).filter(({ usedShare }) => usedShare >= MIN_CAUSE_SHARE)
  return large.slice(0, MAX_CAUSES).map(({ text }) => text)
}
