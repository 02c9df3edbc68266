import { expect, test } from 'vitest'
import { Overheld } from './overheld.ts'
import type { Reckoned } from './reckon.ts'

type Look = readonly [at: number, open: number, share: number, claim?: number]

function reckoned(open: number, share: number, claim = open): Reckoned {
  const member = { name: 'a#000001', ownRole: true, ownDatabase: true, open, publication: undefined, claim }
  return { member, share, claim }
}

/** Whether the instance counts as one that keeps its connections, after each look. The tolerance is 3,000 ms. */
function keptAfter(...looks: readonly Look[]): boolean[] {
  const overheld = new Overheld()
  return looks.map(([at, open, share, claim]) => {
    overheld.note([reckoned(open, share, claim)], at, 3_000)
    return overheld.names.has('a#000001')
  })
}

test.each<[what: string, looks: readonly Look[], kept: boolean[]]>([
  [
    'more than its share for the tolerance',
    [
      [0, 8, 5],
      [2_999, 8, 5],
      [3_000, 8, 5],
    ],
    [false, false, true],
  ],
  [
    'its share',
    [
      [0, 5, 5],
      [3_000, 5, 5],
    ],
    [false, false],
  ],
  [
    'more and more',
    [
      [0, 8, 5],
      [1_500, 9, 5],
      [3_000, 10, 5],
    ],
    [false, false, true],
  ],
  [
    'less than before, which it gives back step by step',
    [
      [0, 8, 5],
      [2_000, 7, 5],
      [4_000, 6, 5],
    ],
    [false, false, false],
  ],
  [
    'no more than its share for a moment',
    [
      [0, 8, 5],
      [1_500, 5, 5],
      [3_000, 8, 5],
    ],
    [false, false, false],
  ],
  [
    'no more than it has claimed, because others are parallel workers',
    [
      [0, 8, 5, 5],
      [3_000, 8, 5, 5],
    ],
    [false, false],
  ],
])('given an instance holds %s', (_what, looks, kept) => {
  expect(keptAfter(...looks)).toEqual(kept)
})

test('an instance that keeps connections stays one until it gives one back, also with a larger share', () => {
  expect(keptAfter([0, 8, 5], [3_000, 8, 5], [3_100, 8, 20], [3_200, 7, 20]).slice(1)).toEqual([true, true, false])
})

test('an instance that has left, or all of them after a pause, are forgotten', () => {
  const overheld = new Overheld()
  const look = (at: number) => overheld.note([reckoned(8, 5)], at, 3_000)
  look(0)
  overheld.note([], 1_000, 3_000)
  look(2_000)
  look(3_000)
  expect(overheld.names.size).toBe(0)
  look(5_000)
  expect(overheld.names.size).toBe(1)
  overheld.forget()
  expect(overheld.names.size).toBe(0)
})
