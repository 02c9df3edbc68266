import type { PoolStats } from '@poolguard/core'
import { type Durations, percentileMillis } from '@poolguard/core/adapter'
import type { PoolSample } from '@poolguard/page'

const SAMPLES = 300
/** Values of a sample besides its time: in use, max, waiting, and the 99th percentile of the waits. */
const VALUES = 4

/** The figures of one pool in the last ten minutes: a ring of constant size. */
export class PoolHistory {
  readonly #seconds = new Uint32Array(SAMPLES)
  readonly #values = new Float32Array(SAMPLES * VALUES)
  #count = 0
  #wait: Durations | undefined

  /** @param seconds since 1970. */
  add(seconds: number, stats: Pick<PoolStats, 'active' | 'max' | 'waiting' | 'wait'>): void {
    const at = this.#count % SAMPLES
    this.#seconds[at] = seconds
    const waitP99 = percentileSince(this.#wait, stats.wait)
    this.#values.set([stats.active, stats.max, stats.waiting, waitP99], at * VALUES)
    this.#wait = stats.wait
    this.#count++
  }

  /** The samples of the last ten minutes, the oldest first. */
  read(): PoolSample[] {
    const kept = Math.min(this.#count, SAMPLES)
    return Array.from({ length: kept }, (_, i) => this.#at((this.#count - kept + i) % SAMPLES))
  }

  get latest(): PoolSample | undefined {
    return this.#count === 0 ? undefined : this.#at((this.#count - 1) % SAMPLES)
  }

  #at(position: number): PoolSample {
    const [active = 0, max = 0, waiting = 0, waitP99 = 0] = this.#values.subarray(position * VALUES)
    return [this.#seconds[position] ?? 0, active, max, waiting, Number.isNaN(waitP99) ? null : waitP99]
  }
}

/** The 99th percentile of the waits that ended between two readings; NaN if there were none. */
function percentileSince(before: Durations | undefined, { count, sumMillis, buckets }: Durations): number {
  if (!before || count === before.count) return Number.NaN
  const since: Durations = {
    count: count - before.count,
    sumMillis: sumMillis - before.sumMillis,
    buckets: buckets.map((inBucket, i) => inBucket - (before.buckets[i] ?? 0)),
  }
  return percentileMillis(since, 0.99)
}
