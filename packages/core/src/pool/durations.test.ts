import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addDurations, DURATION_BOUNDS_MILLIS, DurationHistogram, percentileMillis } from './durations.ts'

function of(...millis: number[]) {
  const histogram = new DurationHistogram()
  for (const each of millis) histogram.record(each)
  return histogram.read()
}

describe('a histogram of durations', () => {
  test.each([
    [0, 0],
    [0.1, 0],
    [0.125, 0],
    [0.1250001, 1],
    [0.25, 1],
    [1, 3],
    [1.5, 4],
    [2, 4],
    [65_536, 19],
    [65_536.1, 20],
    [1e12, 20],
    [Number.NaN, 0],
  ])('puts %d ms into bucket %i', (millis, bucket) => {
    expect(of(millis).buckets.indexOf(1)).toBe(bucket)
  })

  test('puts every duration between the previous bound and its own', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 100_000, noNaN: true }), (millis) => {
        const bucket = of(millis).buckets.indexOf(1)
        expect(millis).toBeGreaterThanOrEqual(DURATION_BOUNDS_MILLIS[bucket - 1] ?? 0)
        expect(millis).toBeLessThanOrEqual(DURATION_BOUNDS_MILLIS[bucket] ?? Infinity)
      }),
    )
  })

  test('counts and sums durations, and a snapshot does not change afterwards', () => {
    const histogram = new DurationHistogram()
    histogram.record(3)
    const early = histogram.read()
    histogram.record(5)

    expect(early).toMatchObject({ count: 1, sumMillis: 3 })
    expect(histogram.read()).toMatchObject({ count: 2, sumMillis: 8 })
  })
})

test('the sum of two histograms is the histogram of the durations of both', () => {
  expect(addDurations(of(0.1, 3), of(3, 200, 1e9))).toEqual(of(0.1, 3, 3, 200, 1e9))
})

describe('its summaries', () => {
  test('of no durations are zero', () => {
    expect([percentileMillis(of(), 0.5), percentileMillis(of(), 1)]).toEqual([0, 0])
  })

  test('are percentiles within one bucket of the true ones', () => {
    const millis = Array.from({ length: 1_000 }, (_, i) => i + 1)
    const durations = of(...millis)
    for (const share of [0.01, 0.5, 0.95, 0.99]) {
      const found = percentileMillis(durations, share)
      expect(found).toBeGreaterThan((share * 1_000) / 2)
      expect(found).toBeLessThan(share * 1_000 * 2)
    }
  })

  test.each([
    [[3], 0.5, 3],
    [[3], 1, 4],
    [[3, 3, 3, 3], 0.25, 2.5],
    [[0.1, 3], 0.5, 0.125],
    [[0.1, 3], 0.75, 3],
    [[0.1, 100], 1, 128],
  ])('of %o, the share %d, are %d: interpolated between the bounds', (millis, share, percentile) => {
    expect(percentileMillis(of(...millis), share)).toBe(percentile)
  })

  test('above the last bound are the last bound', () => {
    expect(percentileMillis(of(1e9), 0.99)).toBe(65_536)
  })
})
