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
})

/** Which alerts each of the counts causes. */
function watch(counts: readonly number[], usable?: number): string[] {
  const watch = new Watch(OPTIONS)
  return counts.map((count) =>
    watch
      .see(sample(count, usable))
      .map(({ alert }) => alert)
      .join(),
  )
}

test.each<[given: string, counts: readonly number[], alerts: readonly string[]]>([
  ['a server that fills', [80, 89, 90, 95], ['', '', 'full', 'leak']],
  ['a count that swings round the threshold', [95, 85, 95, 81, 90], ['full', '', '', '', '']],
  ['a server that was calm in between', [95, 79, 90], ['full', '', 'full']],
])('full, given %s', (_, counts, alerts) => {
  expect(watch(counts, 100)).toEqual(alerts)
})

test.each<[given: string, counts: readonly number[], alerts: readonly string[]]>([
  ['a count that only grows', [5, 6, 7, 8, 9], ['', '', '', 'leak', '']],
  ['steps with rests', [5, 5, 6, 6, 7, 8], ['', '', '', '', '', 'leak']],
  ['a pool that warms up and goes down again', [1, 5, 9, 8, 9, 10], ['', '', '', '', '', '']],
  ['a count at rest', [5, 5, 5, 5, 5, 5], ['', '', '', '', '', '']],
  ['a second leak after a restart', [1, 2, 3, 4, 1, 2, 3, 4], ['', '', '', 'leak', '', '', '', 'leak']],
])('leak, given %s', (_, counts, alerts) => {
  expect(watch(counts)).toEqual(alerts)
})

test('a server that lets nobody in is full, once, until it was calm', () => {
  const watch = new Watch(OPTIONS)
  const missed = { time: '2026-11-21T12:00:00.000Z', error: 'sorry, too many clients already' }
  const looks = [missed, { ...missed, full: true } as const, { ...missed, full: true } as const, sample(95, 100)]

  expect(looks.map((look) => watch.see(look).map(({ alert }) => alert))).toEqual([[], ['full'], [], []])
})

test('an application that was gone in between begins anew', () => {
  const watch = new Watch(OPTIONS)
  const gone = { ...sample(0), applications: [] }
  const looks = [sample(1), sample(2), gone, sample(3), sample(4), sample(5)]

  expect(looks.flatMap((look) => watch.see(look))).toEqual([])
})

test('an alert says who, and from where to where', () => {
  const watch = new Watch(OPTIONS)
  const alerts = [80, 85, 88, 95].flatMap((count) => watch.see(sample(count, 100)))

  expect(alerts.map(({ message }) => message)).toEqual([
    '95 of 100 connections are open; most of them by orders (role app): 95',
    expect.stringContaining('orders (role app) grew from 80 to 95 connections over 4 samples without a decrease'),
  ])
})

test('there is never a leak where the count went down within the samples', () => {
  const swinging = fc.array(fc.tuple(fc.nat(500), fc.integer({ min: 1, max: 50 })), { maxLength: 40 })
  fc.assert(
    fc.property(swinging, (pairs) => {
      // Up and down again, within less than the samples that make a suspicion.
      const counts = pairs.flatMap(([count, more]) => [count + more, count])
      expect(watch(counts, 100_000).filter((alert) => alert === 'leak').length).toBe(
        countRuns(counts, OPTIONS.leakSamples, OPTIONS.leakGrowth),
      )
    }),
    { seed: 11 },
  )
})

/** The same by the definition: runs that never go down, long enough and grown enough, counted once each. */
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
