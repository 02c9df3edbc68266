import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Sample } from './sample.ts'
import { Watch } from './watch.ts'

const OPTIONS = { fullAt: 0.9, leakSamples: 4, leakGrowth: 3 }

const sample = (connections: number, usable = 1_000): Sample => ({
  time: '2026-11-21T12:00:00.000Z',
  used: connections,
  usable,
  applications: [{ application: 'orders', role: 'app', connections }],
  processes: [],
})

/** The alerts after each count. */
function watch(counts: readonly number[], usable?: number): string[] {
  const watch = new Watch(OPTIONS)
  return counts.map((count) =>
    watch
      .check(sample(count, usable))
      .map(({ alert }) => alert)
      .join(),
  )
}

test.each<[given: string, counts: readonly number[], alerts: readonly string[]]>([
  ['a server that fills up', [80, 89, 90, 95], ['', '', 'full', 'leak']],
  ['a count that oscillates around the threshold', [95, 85, 95, 81, 90], ['full', '', '', '', '']],
  ['a server that recovered in between', [95, 79, 90], ['full', '', 'full']],
])('full, given %s', (_, counts, alerts) => {
  expect(watch(counts, 100)).toEqual(alerts)
})

test.each<[given: string, counts: readonly number[], alerts: readonly string[]]>([
  ['a count that keeps growing', [5, 6, 7, 8, 9], ['', '', '', 'leak', '']],
  ['steps with pauses', [5, 5, 6, 6, 7, 8], ['', '', '', '', '', 'leak']],
  ['a pool that warms up and goes down again', [1, 5, 9, 8, 9, 10], ['', '', '', '', '', '']],
  ['a constant count', [5, 5, 5, 5, 5, 5], ['', '', '', '', '', '']],
  ['a second leak after a restart', [1, 2, 3, 4, 1, 2, 3, 4], ['', '', '', 'leak', '', '', '', 'leak']],
])('leak, given %s', (_, counts, alerts) => {
  expect(watch(counts)).toEqual(alerts)
})

test('a server that rejects connections raises one alert until it has recovered', () => {
  const watch = new Watch(OPTIONS)
  const missed = { time: '2026-11-21T12:00:00.000Z', error: 'sorry, too many clients already' }
  const samples = [missed, { ...missed, full: true } as const, { ...missed, full: true } as const, sample(95, 100)]

  expect(samples.map((each) => watch.check(each).map(({ alert }) => alert))).toEqual([[], ['full'], [], []])
})

test('an application that disappeared in between starts again', () => {
  const watch = new Watch(OPTIONS)
  const gone = { ...sample(0), applications: [] }
  const samples = [sample(1), sample(2), gone, sample(3), sample(4), sample(5)]

  expect(samples.flatMap((each) => watch.check(each))).toEqual([])
})

test('an alert names the application and the counts', () => {
  const watch = new Watch(OPTIONS)
  const alerts = [80, 85, 88, 95].flatMap((count) => watch.check(sample(count, 100)))

  expect(alerts.map(({ message }) => message)).toEqual([
    '95 of 100 connections are open; most of them by orders (role app): 95',
    expect.stringContaining('orders (role app) grew from 80 to 95 connections over 4 samples without a decrease'),
  ])
})

test('raises no leak alert if the count decreased within the samples', () => {
  const swinging = fc.array(fc.tuple(fc.nat(500), fc.integer({ min: 1, max: 50 })), { maxLength: 40 })
  fc.assert(
    fc.property(swinging, (pairs) => {
      // Up and down again, within fewer samples than a leak alert needs.
      const counts = pairs.flatMap(([count, more]) => [count + more, count])
      expect(watch(counts, 100_000).filter((alert) => alert === 'leak').length).toBe(
        countRuns(counts, OPTIONS.leakSamples, OPTIONS.leakGrowth),
      )
    }),
    { seed: 11 },
  )
})

/** The definition: counts each run without a decrease that is long enough and grew enough. */
function countRuns(counts: readonly number[], samples: number, growth: number): number {
  const runs: number[][] = []
  for (const count of counts) {
    const run = runs.at(-1)
    if (run && count >= (run.at(-1) ?? 0)) run.push(count)
    else runs.push([count])
  }
  return runs.filter((run) => run.some((count, index) => index + 1 >= samples && count - (run[0] ?? 0) >= growth))
    .length
}

test.each<[given: string, pools: readonly (readonly [waiting: number, millis: number])[], alerts: readonly string[]]>([
  [
    'clients that wait long',
    [
      [0, 0],
      [3, 1_500],
      [3, 2_500],
      [0, 0],
      [1, 4_000],
    ],
    ['', 'waiting', '', '', 'waiting'],
  ],
  [
    'clients that wait for a moment',
    [
      [3, 200],
      [2, 100],
    ],
    ['', ''],
  ],
])('waiting, given %s', (_, pools, alerts) => {
  const watch = new Watch(OPTIONS)
  const raised = pools.map(([clientsWaiting, maxWaitMillis]) => {
    const pool = { database: 'app', user: 'app', clientsActive: 2, clientsWaiting, maxWaitMillis }
    const pooler = { pools: [{ ...pool, serversActive: 2, serversIdle: 0, poolSize: 2, paused: false }] }
    return watch.check({ ...sample(1), pooler })
  })

  expect(raised.map((each) => each.map(({ alert }) => alert).join())).toEqual(alerts)
})
