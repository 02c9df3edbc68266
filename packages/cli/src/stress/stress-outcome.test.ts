import { expect, test } from 'vitest'
import type { LoadResult } from './run-load.ts'
import { stressOutcome } from './stress-outcome.ts'

const result: LoadResult = {
  elapsedMillis: 10_000,
  requests: 1_000,
  failed: 0,
  perSecond: 100,
  p50Millis: 3.21,
  p90Millis: 8,
  p95Millis: 20,
  p99Millis: 41,
  maxMillis: 120,
  buckets: [
    { upToMillis: 1, count: 0 },
    { upToMillis: 4, count: 900 },
    { upToMillis: 8, count: 0 },
    { upToMillis: 128, count: 100 },
    { upToMillis: Infinity, count: 0 },
  ],
  errors: [],
  serverConnections: [1, 5, 10, 10],
}
const errors = [{ code: '53300', count: 10, message: 'sorry, too many clients already' }]

test('prints percentiles, a histogram and the connections over time', () => {
  const { exitCode, text } = stressOutcome('here', result, { maxErrors: 0, maxP99Millis: undefined })

  expect(exitCode).toBe(0)
  expect(text.split('\n')).toEqual([
    'here',
    '',
    '1000 requests in 10.0 s: 0 failed, 100 per second succeeded',
    'latency: p50 3.21 ms, p90 8.00 ms, p99 41 ms, max 120 ms',
    `     <= 4 ms  ${'#'.repeat(40)} 900`,
    '     <= 8 ms   0',
    '   <= 128 ms  #### 100',
    'server connections over time: ▁▄██  (1 to 10)',
    '',
    'All thresholds met.',
  ])
})

test.each<
  [given: string, change: Partial<LoadResult>, maxErrors: number, maxP99Millis: number | undefined, broken: string[]]
>([
  ['all thresholds met', {}, 0, 41, []],
  ['a p99 above the threshold', {}, 0, 40, ['The p99 latency is 41 ms, above --max-p99 (40 ms).']],
  ['as many errors as allowed', { failed: 10, errors }, 0.01, undefined, []],
  [
    'more errors',
    { failed: 10, errors },
    0.005,
    undefined,
    ['1 % of the requests failed, more than --max-errors (0.5 %).'],
  ],
  [
    'no successful request',
    { requests: 10, failed: 10, errors, p99Millis: null },
    0,
    1,
    ['No request succeeded.', '100 % of the requests failed, more than --max-errors (0 %).'],
  ],
  ['no request at all', { requests: 0, p99Millis: null }, 1, 1, ['No request succeeded.']],
])('given %s', (_, change, maxErrors, maxP99Millis, broken) => {
  const outcome = stressOutcome('here', { ...result, ...change }, { maxErrors, maxP99Millis })

  expect(outcome.json).toMatchObject({ passed: broken.length === 0, broken })
  expect(outcome.exitCode).toBe(broken.length === 0 ? 0 : 1)
  for (const { code, message } of change.errors ?? []) expect(outcome.text).toContain(`10 x ${code}: ${message}`)
})
