import { expect, test } from 'vitest'
import { describeAppLine } from './describe-app-line.ts'
import type { AppPool } from './read-pool-stats.ts'
import { AppWatch } from './watch-app.ts'

const TIME = '2026-11-29T12:00:00.000Z'
const POOL: AppPool = {
  ...{ name: 'quota', target: 'file:quota.db', status: 'healthy', inUse: 1, idle: 3, waiting: 0, max: 10 },
  ...{ timeouts: 0, suspectedLeaks: 0, lanes: [] },
}
const sample = (more: Partial<AppPool> = {}) => ({ time: TIME, status: 'healthy', pools: [{ ...POOL, ...more }] })

test.each<[given: string, samples: readonly Partial<AppPool>[], alerts: readonly string[]]>([
  [
    'a pool that fills up and recovers',
    [{}, { inUse: 9 }, { inUse: 10 }, {}, { inUse: 9 }],
    ['', 'full', '', '', 'full'],
  ],
  ['callers that wait', [{ waiting: 2 }, { waiting: 3 }], ['waiting', '']],
  ['a leak', [{}, { suspectedLeaks: 1 }], ['', 'leak']],
  ['a healthy pool', [{}, { inUse: 5 }], ['', '']],
])('given %s', (_, samples, alerts) => {
  const watch = new AppWatch(0.9)

  expect(
    samples.map((each) =>
      watch
        .check(sample(each))
        .map(({ alert }) => alert)
        .join(),
    ),
  ).toEqual(alerts)
})

test('a sample is a line for each pool', () => {
  expect(describeAppLine(sample({ waiting: 2, suspectedLeaks: 1 }))).toContain(
    'quota: 1 of 10 in use, 3 idle, 2 waiting, 0 timeouts, 1 suspected leaks  healthy',
  )
  expect(describeAppLine({ time: TIME, error: 'HTTP 503' })).toContain('failed: HTTP 503')
})
