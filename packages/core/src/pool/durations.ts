/**
 * Upper bounds of the buckets, in milliseconds: each twice the one before, from an eighth of a millisecond, below which
 * nothing waits, to 65 s, above which nobody does.
 */
export const DURATION_BOUNDS_MILLIS: readonly number[] = Array.from({ length: 20 }, (_, i) => 2 ** (i - 3))

/** How long something took, each time so far. Plain data. */
export interface Durations {
  readonly count: number
  readonly sumMillis: number
  /**
   * How many lasted up to the bound of the same index in `DURATION_BOUNDS_MILLIS`, and longer than the one before it;
   * the last one of all, longer than any bound.
   */
  readonly buckets: readonly number[]
}

/** Collects durations in fixed memory, and costs a few nanoseconds each. */
export class DurationHistogram {
  readonly #buckets = new Array<number>(DURATION_BOUNDS_MILLIS.length + 1).fill(0)
  #count = 0
  #sumMillis = 0
  #reading: Durations | undefined

  record(millis: number): void {
    this.#reading = undefined
    this.#count++
    this.#sumMillis += millis
    const bucket = bucketOf(millis)
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1
  }

  /** The same object until there is more, so that whatever was made of it still holds. */
  read(): Durations {
    this.#reading ??= { count: this.#count, sumMillis: this.#sumMillis, buckets: [...this.#buckets] }
    return this.#reading
  }
}

/** The bounds are powers of two, so that the position of the highest bit is the bucket. */
function bucketOf(millis: number): number {
  if (!(millis > 0.125)) return 0
  if (millis > 65_536) return DURATION_BOUNDS_MILLIS.length
  return 32 - Math.clz32(Math.ceil(millis * 8) - 1)
}

/**
 * The duration that so large a share stayed within, interpolated within its bucket: between half and twice
 * what it was, from an eighth of a millisecond to 65 s. Zero where there were none.
 *
 * @param share between 0 and 1, as 0.99
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
