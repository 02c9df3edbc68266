import { requireDuration } from '../invalid-option-error.ts'
import { completeThresholds } from './complete-thresholds.ts'
import { evaluateHealth, type Health, WINDOW_MILLIS } from './health.ts'
import { type HealthCounters, healthCounters } from './health-measures.ts'
import type { HealthThresholds } from './health-thresholds.ts'
import { type HealthStatus, worstOf } from './health-verdict.ts'
import { listPools } from './registry.ts'
import type { ObservedPool } from './snapshot.ts'

const RECOVERY_MILLIS = 5_000
/** However often somebody looks. */
const SAMPLES_PER_WINDOW = 30
/** Figures so many windows old are no beginning of this one. Until then, whoever looks seldom goes by what came since. */
const MAX_WINDOWS = 4

export interface HealthMonitorOptions {
  /** Those that differ from {@link DEFAULT_HEALTH_THRESHOLDS}. */
  readonly thresholds?: Partial<HealthThresholds>
  /**
   * What happened longer ago no longer counts; but where looks are rarer than that, up to four times as rare, what came
   * since the last one does. Default: 30 000.
   */
  readonly windowMillis?: number
  /** A pool's health gets better only when it has been better for so long; it gets worse at once. Default: 5 000. */
  readonly recoveryMillis?: number
  /** Default: every pool of the process. */
  readonly pools?: () => readonly ObservedPool[]
}

/** The health of one pool, by its name. */
export interface PoolHealth extends Pick<Health, 'status' | 'reasons'> {
  readonly name: string
}

/** The health of a process: that of its worst pool. */
export interface ProcessHealth {
  readonly status: HealthStatus
  readonly pools: readonly PoolHealth[]
}

/** What is remembered of a pool from look to look. */
interface Watched {
  /** In the order of time. */
  readonly samples: HealthCounters[]
  measures: Health['measures'] | undefined
}

/**
 * Judges pools over a window, from look to look; between looks it does nothing. It is not the database's health, nor the
 * process's, but whether this process gets the connections that it needs.
 *
 * @throws {InvalidOptionError} for a threshold or window that cannot be meant.
 * @example
 * const monitor = new HealthMonitor({ thresholds: { waiters: { warning: 50, critical: 200 } } })
 * monitor.check() // { status: 'warning', pools: [{ name: 'orders', status: 'warning', reasons: ['61 callers wait ...'] }] }
 */
export class HealthMonitor {
  readonly #thresholds: HealthThresholds
  readonly #windowMillis: number
  readonly #recoveryMillis: number
  readonly #pools: () => readonly ObservedPool[]
  readonly #watched = new WeakMap<ObservedPool, Watched>()

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
    const { name, stats, wal } = pool.snapshot()
    const watched = this.#watched.get(pool) ?? { samples: [], measures: undefined }
    this.#watched.set(pool, watched)
    const before = this.#beginOfWindow(watched, healthCounters(stats))
    const health = evaluateHealth({
      ...{ stats, before, windowMillis: this.#windowMillis, previous: watched.measures },
      ...{ thresholds: this.#thresholds, recoveryMillis: this.#recoveryMillis },
    })
    watched.measures = health.measures
    const problem = wal?.problem ?? null
    if (problem === null) return { name, status: health.status, reasons: health.reasons }
    // Never critical: an instance that gets no requests makes the WAL no smaller.
    return { name, status: worstOf([health.status, 'warning']), reasons: [...health.reasons, problem] }
  }

  /** The latest figures that are a window old, or the first ones since, be it those of now; what is older is forgotten. */
  #beginOfWindow({ samples }: Watched, now: HealthCounters): HealthCounters {
    const ageOf = (sample: HealthCounters) => now.takenAtMillis - sample.takenAtMillis
    const latestBefore = samples.findLastIndex((sample) => ageOf(sample) >= this.#windowMillis)
    if (latestBefore > 0) samples.splice(0, latestBefore)
    if (samples[0] && ageOf(samples[0]) > MAX_WINDOWS * this.#windowMillis) samples.shift()
    const last = samples.at(-1)
    if (!last || ageOf(last) >= this.#windowMillis / SAMPLES_PER_WINDOW) samples.push(now)
    return samples[0] ?? now
  }
}
