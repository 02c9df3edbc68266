import type {
  Durations,
  HealthMonitor,
  HealthStatus,
  InsightSummary,
  LaneStats,
  ObservedPool,
  PoolCallers,
  PoolHealth,
  PoolInsight,
  PoolSnapshot,
  PoolStats,
} from '@poolguard/core'
import { DURATION_BOUNDS_MILLIS, percentileMillis } from '@poolguard/core/adapter'

/** The most of each kind in a reply. */
const MAX_CALLERS = 100

/** A histogram of durations, with its percentiles. They are between half and twice the true ones. */
export interface AdminDurations extends Durations {
  readonly p50Millis: number
  readonly p95Millis: number
  readonly p99Millis: number
}

/** The figures of a pool, its histograms with percentiles. */
export interface AdminPoolStats extends PoolStats {
  readonly wait: AdminDurations
  readonly waitByLabel: Readonly<Record<string, AdminDurations>>
  readonly usage: AdminDurations
  readonly connect: AdminDurations
  readonly lanes?: Readonly<Record<string, AdminLaneStats>>
}

/** The figures of a lane, its histogram with percentiles. */
export interface AdminLaneStats extends LaneStats {
  readonly wait: AdminDurations
}

/** Where the time of a pool's connections goes. */
export interface AdminInsight extends InsightSummary {
  /** The last minutes, as `pool.insight()` returns them; null if the pool does not keep them. */
  readonly recent: PoolInsight | null
}

/** One pool: its snapshot with percentiles, its whole insight, and its health. */
export interface AdminPool extends PoolSnapshot {
  readonly stats: AdminPoolStats
  readonly insight?: AdminInsight | undefined
  readonly health: PoolHealth
  /** Who holds its connections and who waits for one, the oldest first, at most 100 each; absent if the pool does not know. */
  readonly callers?: PoolCallers | undefined
}

/** The JSON of the admin endpoint. Fields are added in any version, and renamed or removed only with a note in the changelog. */
export interface AdminReply {
  /** When the reply was made, in ISO 8601. */
  readonly time: string
  /** Of the worst pool. */
  readonly status: HealthStatus
  /** Upper bounds of the buckets of all durations, in milliseconds; the last bucket has none. */
  readonly bucketBoundsMillis: readonly number[]
  readonly pools: readonly AdminPool[]
}

/** @param pools the pools that the monitor checks, in the same order. */
export function adminReply(monitor: HealthMonitor, pools: readonly ObservedPool[]): AdminReply {
  const { status, pools: health } = monitor.check()
  return {
    time: new Date().toISOString(),
    status,
    bucketBoundsMillis: DURATION_BOUNDS_MILLIS,
    pools: pools.map((pool, i) => adminPool(pool, health[i] as PoolHealth)),
  }
}

function adminPool(pool: ObservedPool, health: PoolHealth): AdminPool {
  const { stats, insight, ...snapshot } = pool.snapshot()
  return {
    ...snapshot,
    stats: withPercentiles(stats),
    ...(insight && { insight: { ...insight, recent: pool.insight?.() ?? null } }),
    health,
    callers: pool.callers?.(MAX_CALLERS),
  }
}

function withPercentiles(stats: PoolStats): AdminPoolStats {
  const { lanes, ...figures } = stats
  const waits = Object.entries(stats.waitByLabel).map(([label, wait]) => [label, durations(wait)] as const)
  return {
    ...figures,
    ...(lanes && { lanes: lanesWithPercentiles(lanes) }),
    wait: durations(stats.wait),
    waitByLabel: Object.fromEntries(waits),
    usage: durations(stats.usage),
    connect: durations(stats.connect),
  }
}

function lanesWithPercentiles(lanes: NonNullable<PoolStats['lanes']>): Readonly<Record<string, AdminLaneStats>> {
  const all = Object.entries(lanes).map(([name, lane]) => [name, { ...lane, wait: durations(lane.wait) }] as const)
  return Object.fromEntries(all)
}

function durations(histogram: Durations): AdminDurations {
  const [p50Millis, p95Millis, p99Millis] = [0.5, 0.95, 0.99].map((share) => percentileMillis(histogram, share))
  return { ...histogram, p50Millis, p95Millis, p99Millis } as AdminDurations
}
