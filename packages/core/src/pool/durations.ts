/**
 * Upper bounds of the buckets, in milliseconds. Each is twice the previous one, from an eighth of a millisecond to 65 s: shorter
 * and longer waits hardly occur.
 */
export const DURATION_BOUNDS_MILLIS: readonly number[] = Array.from({ length: 20 }, (_, i) => 2 ** (i - 3))

/** A histogram of durations so far. Plain data. */
export interface Durations {
  readonly count: number
  readonly sumMillis: number
  /**
   * The number of durations up to the bound of the same index in `DURATION_BOUNDS_MILLIS` and above the previous bound. The last
   * bucket counts durations above all bounds.
   */
  readonly buckets: readonly number[]
}

export function addDurations(a: Durations, b: Durations): Durations {
  return {
    count: a.count + b.count,
    sumMillis: a.sumMillis + b.sumMillis,
    buckets: a.buckets.map((count, i) => count + (b.buckets[i] ?? 0)),
  }
}

/** Collects durations in constant memory, for a few nanoseconds each. */
export class DurationHistogram {
  readonly #buckets = new Array<number>(DURATION_BOUNDS_MILLIS.length + 1).fill(0)
  #count = 0
  #sumMillis = 0
  #snapshot: Durations | undefined

  record(millis: number): void {
    this.#snapshot = undefined
    this.#count++
    this.#sumMillis += millis
    const bucket = bucketOf(millis)
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1
  }

  /** Returns the same object until the next duration is recorded, so that callers can cache results derived from it. */
  read(): Durations {
    this.#snapshot ??= { count: this.#count, sumMillis: this.#sumMillis, buckets: [...this.#buckets] }
    return this.#snapshot
  }
}

/** The bounds are powers of two, so the position of the highest bit is the bucket. */
function bucketOf(millis: number): number {
  if (!(millis > 0.125)) return 0
  if (millis > 65_536) return DURATION_BOUNDS_MILLIS.length
  return 32 - Math.clz32(Math.ceil(millis * 8) - 1)
}

/**
 * The duration that the given share of the durations did not exceed, interpolated within its bucket. The result is between half
 * and twice the true percentile, for values from an eighth of a millisecond to 65 s. Zero for an empty histogram.
 *
 * @param share between 0 and 1, for example 0.99
 */
export function percentileMillis({ count, buckets }: Durations, share: number): number {
  let rest = share * count
  for (const [i, inBucket] of buckets.entries()) {
    if (rest > inBucket || inBucket === 0) {
      rest -= inBucket
      continue
    }
    const from = DURATION_BOUNDS_MILLIS[i - 1] ?? 0
    const to = DURATION_BOUNDS_MILLIS[i] ?? from
    return from + (to - from) * (rest / inBucket)
  }
  return 0
}

/** Bounds memory if labels come from URLs. Further labels count as {@link OTHER_LABEL}. */
export const MAX_LABELS = 200
export const OTHER_LABEL = 'other'

/** How long callers waited, by label. */
export class LabelledWaits {
  readonly #waits = new Map<string, DurationHistogram>()

  record(label: string, millis: number): void {
    this.#histogramOf(label).record(millis)
  }

  read(): Readonly<Record<string, Durations>> {
    return Object.fromEntries([...this.#waits].map(([label, histogram]) => [label, histogram.read()]))
  }

  #histogramOf(label: string): DurationHistogram {
    const known = this.#waits.get(label)
    if (known) return known
    const kept = this.#waits.size < MAX_LABELS ? label : OTHER_LABEL
    const histogram = this.#waits.get(kept) ?? new DurationHistogram()
    this.#waits.set(kept, histogram)
    return histogram
  }
}
