import { expect, test } from 'vitest'
import { Tally } from './tally.ts'

test('counts each latency in the percentiles and in one bucket', () => {
  const tally = new Tally()
  for (let n = 1; n <= 100; n++) tally.succeeded(n)

  const figures = tally.figures(2_000)
  expect(figures).toMatchObject({ requests: 100, failed: 0, perSecond: 50, errors: [] })
  // The histogram has a precision of three digits.
  expect([figures.p50Millis, figures.p99Millis, figures.maxMillis].map((value) => Math.round(value ?? 0))).toEqual([
    50, 99, 100,
  ])
  expect(figures.buckets.map(({ count }) => count)).toEqual([1, 1, 2, 4, 8, 16, 32, 36, 0, 0, 0, 0, 0, 0])
})

test('groups errors by code, or by name', () => {
  const tally = new Tally()
  tally.succeeded(0)
  tally.failed(new TypeError('postgres://app:s3cret@db'))
  for (const n of [1, 2]) tally.failed(Object.assign(new Error(`full ${n}`), { code: '53300' }))
  tally.failed('thrown')

  expect(tally.figures(0)).toMatchObject({
    requests: 5,
    failed: 4,
    perSecond: 0,
    errors: [
      { code: '53300', count: 2, message: 'full 1' },
      { code: 'TypeError', count: 1, message: 'postgres://app:s3cret@db' },
      { code: 'unknown', count: 1, message: 'thrown' },
    ],
  })
})

test('latencies are null without a successful request', () => {
  expect(new Tally().figures(1)).toMatchObject({ requests: 0, p50Millis: null, maxMillis: null })
})
