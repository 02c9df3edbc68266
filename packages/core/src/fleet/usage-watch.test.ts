import { expect, test } from 'vitest'
import { UsageWatch } from './usage-watch.ts'

type Look = readonly [at: number, open: number, isUnused: boolean, sequence: number]

/** The tolerance is 3,000 ms, and a pause of more than 1,000 ms between two looks is a gap. */
function capsAfter(...looks: readonly Look[]): (number | undefined)[] {
  const watch = new UsageWatch({ toleranceMillis: 3_000, gapMillis: 1_000 })
  return looks.map(([at, open, isUnused, sequence]) => {
    const publication = { target: 9, demand: 9, floor: 1, sequence }
    watch.observe([{ name: 'a#000001', open, isUnused, publication }], at)
    return watch.caps.get('a#000001')
  })
}

const times = (from: number, to: number) => Array.from({ length: (to - from) / 1_000 + 1 }, (_, i) => from + i * 1_000)
const unused = (from: number, to: number, { open = 1, sequence = 1 } = {}) => {
  return times(from, to).map((at): Look => [at, open, true, sequence])
}

test('given connections are unused for the tolerance, then only the open ones count', () => {
  expect(capsAfter(...unused(0, 3_000))).toEqual([undefined, undefined, undefined, 1])
})

test('given the instance has opened more meanwhile, or there is a gap between two looks, then the time starts over', () => {
  expect(capsAfter(...unused(0, 2_000), ...unused(3_000, 5_000, { open: 2 })).at(-1)).toBeUndefined()
  expect(capsAfter(...unused(0, 2_000), ...unused(3_500, 6_500)).slice(0, -1)).not.toContain(1)
})

test('given new figures, then they are trusted at once the first time, and then after growing delays', () => {
  const lapses = capsAfter(
    ...unused(0, 3_000),
    [3_100, 1, true, 2],
    ...unused(4_000, 7_000, { sequence: 2 }),
    [7_100, 1, true, 3],
    [9_000, 1, true, 3],
    [10_000, 1, true, 3],
  )
  expect(lapses.slice(3, 5)).toEqual([1, undefined])
  expect(lapses.slice(-4)).toEqual([1, 1, 1, undefined])
})

test('given it had more open at first, then those count', () => {
  expect(capsAfter([0, 3, true, 1], ...unused(1_000, 3_000, { open: 2 })).at(-1)).toBe(3)
})

test('given it opens less than what counted, then the same still counts, and its time goes on', () => {
  expect(capsAfter(...unused(0, 3_000, { open: 3 }), [3_500, 2, true, 1], [4_000, 3, true, 1]).slice(-2)).toEqual([
    3, 3,
  ])
})

test('the names of those that have just left connections unused for too long are returned once', () => {
  const watch = new UsageWatch({ toleranceMillis: 1_000, gapMillis: 1_000 })
  const publication = { target: 9, demand: 9, floor: 1, sequence: 1 }
  const look = (at: number, open = 1) => watch.observe([{ name: 'a#000001', open, isUnused: true, publication }], at)

  expect([0, 500, 1_000, 1_500, 2_000].map((at) => look(at))).toEqual([[], [], ['a#000001'], [], []])
})

test('given an instance has left, then it is forgotten', () => {
  const watch = new UsageWatch({ toleranceMillis: 1_000, gapMillis: 1_000 })
  const publication = { target: 9, demand: 9, floor: 1, sequence: 1 }
  const usage = { name: 'a#000001', open: 1, isUnused: true, publication }
  for (const at of [0, 500, 1_000]) watch.observe([usage], at)
  expect(watch.caps.size).toBe(1)
  watch.observe([], 1_500)
  expect(watch.caps.size).toBe(0)
})

test('given it opens more than it had, then its figures are trusted', () => {
  expect(capsAfter(...unused(0, 3_000), [3_500, 2, true, 1]).at(-1)).toBeUndefined()
})
