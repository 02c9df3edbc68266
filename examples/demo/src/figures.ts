import type { LoadResult } from './app/load.ts'

/** The measurements of one part of the demo. */
export interface Figures {
  readonly requests: number
  readonly failed: number
  readonly sqlstates: Readonly<Record<string, number>>
  /** Percentiles of the successful requests; null if every request failed. */
  readonly p50Millis: number | null
  readonly p99Millis: number | null
  /** The maximum number of concurrent connections on PostgreSQL. */
  readonly peakConnections: number
}

/** Combines the results of several processes. */
export function sumUp(results: readonly LoadResult[], peakConnections: number): Figures {
  const latencies = results.flatMap((result) => result.latencies).sort((a, b) => a - b)
  const sqlstates: Record<string, number> = {}
  for (const [sqlstate, count] of results.flatMap((result) => Object.entries(result.sqlstates))) {
    sqlstates[sqlstate] = (sqlstates[sqlstate] ?? 0) + count
  }
  const failed = Object.values(sqlstates).reduce((sum, count) => sum + count, 0)
  return {
    requests: latencies.length + failed,
    failed,
    sqlstates,
    p50Millis: percentile(latencies, 50),
    p99Millis: percentile(latencies, 99),
    peakConnections,
  }
}

/** The nearest-rank percentile, to a hundredth of a millisecond. */
function percentile(sorted: readonly number[], percent: number): number | null {
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]
  return value === undefined ? null : Math.round(value * 100) / 100
}
