import { createHistogram } from 'node:perf_hooks'
import { messageOf } from '../output/message-of.ts'

/** The number of requests in one range of latencies. */
export interface Bucket {
  /** Infinity in the last bucket. */
  readonly upToMillis: number
  readonly count: number
}

/** All failures with the same code. */
export interface ErrorClass {
  readonly code: string
  readonly count: number
  /** The message of the first one. */
  readonly message: string
}

export interface Figures {
  readonly requests: number
  readonly failed: number
  readonly perSecond: number
  /** Latencies of successful requests; null if there are none. */
  readonly p50Millis: number | null
  readonly p90Millis: number | null
  readonly p95Millis: number | null
  readonly p99Millis: number | null
  readonly maxMillis: number | null
  readonly buckets: readonly Bucket[]
  readonly errors: readonly ErrorClass[]
}

const BOUNDS_MILLIS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, Infinity]

/** Counts successes, failures and latencies. */
export class Tally {
  readonly #latencies = createHistogram()
  readonly #counts: number[] = BOUNDS_MILLIS.map(() => 0)
  readonly #errors = new Map<string, { count: number; message: string }>()
  #requests = 0

  get requests(): number {
    return this.#requests
  }

  succeeded(millis: number): void {
    this.#requests++
    // In microseconds; the histogram does not accept 0.
    this.#latencies.record(Math.max(1, Math.round(millis * 1_000)))
    const index = BOUNDS_MILLIS.findIndex((bound) => millis <= bound)
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
  }

  failed(error: unknown): void {
    this.#requests++
    const code = codeOf(error)
    const known = this.#errors.get(code)
    if (known) known.count++
    else this.#errors.set(code, { count: 1, message: messageOf(error) })
  }

  figures(elapsedMillis: number): Figures {
    const errors = [...this.#errors].map(([code, { count, message }]) => ({ code, count, message }))
    const failed = errors.reduce((sum, { count }) => sum + count, 0)
    const percentile = (share: number) => (this.#latencies.count > 0 ? this.#latencies.percentile(share) / 1_000 : null)
    return {
      requests: this.#requests,
      failed,
      perSecond: elapsedMillis > 0 ? (this.#requests - failed) / (elapsedMillis / 1_000) : 0,
      p50Millis: percentile(50),
      p90Millis: percentile(90),
      p95Millis: percentile(95),
      p99Millis: percentile(99),
      maxMillis: percentile(100),
      buckets: BOUNDS_MILLIS.map((upToMillis, index) => ({ upToMillis, count: this.#counts[index] ?? 0 })),
      errors: errors.sort((a, b) => b.count - a.count),
    }
  }
}

function codeOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown }
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown'
}
