import { expect, test } from 'vitest'
import { UnusedClaim } from './unused-claim.ts'

/** In an interval of 1,000 ms a claim is usable for 2,000 ms, and another instance has looked after 750 ms. */
type Step = readonly [at: number, claimed: number, open: number, since?: number]

function after(...steps: readonly Step[]): UnusedClaim {
  const claim = new UnusedClaim(1_000)
  for (const step of steps) claim.note(...step)
  return claim
}

test.each<[what: string, steps: readonly Step[], usableUntil: number]>([
  ['a used claim', [[0, 5, 5]], Infinity],
  ['an unused claim', [[0, 5, 1]], 2_000],
  [
    'an unused claim that is published again',
    [
      [0, 5, 1],
      [1_500, 6, 1],
    ],
    2_000,
  ],
  [
    'a claim in use again',
    [
      [0, 5, 1],
      [1_500, 5, 5],
    ],
    Infinity,
  ],
  [
    'a claim of an instance that has opened more',
    [
      [0, 5, 1],
      [1_500, 5, 2],
    ],
    3_500,
  ],
  [
    'more connections that were lost before others have looked',
    [
      [0, 5, 1],
      [1_500, 5, 2],
      [1_900, 5, 1],
    ],
    2_000,
  ],
  [
    'more connections that were lost later',
    [
      [0, 5, 1],
      [1_500, 5, 2],
      [2_300, 5, 1],
    ],
    3_500,
  ],
  [
    'a claim that was used before others have looked',
    [
      [0, 5, 1],
      [1_000, 5, 5],
      [1_700, 5, 1],
    ],
    2_000,
  ],
  [
    'a claim that was used for long',
    [
      [0, 5, 1],
      [1_000, 5, 5],
      [1_800, 5, 1],
    ],
    3_800,
  ],
  [
    'a larger claim with more open connections than before',
    [
      [0, 5, 1],
      [1_000, 5, 5],
      [1_100, 6, 5],
    ],
    3_100,
  ],
  [
    'connections that may have been lost earlier',
    [
      [0, 5, 5],
      [9_000, 5, 3, 4_000],
    ],
    6_000,
  ],
])('given %s, then it is usable until %#', (_, steps, usableUntil) => {
  expect(after(...steps).usableUntil).toBe(usableUntil)
})

test('given the others have looked since the last period exactly, then the next one is a new one', () => {
  expect(after([0, 5, 1], [1_000, 5, 5], [1_750, 5, 1]).usableUntil).toBe(3_750)
  expect(after([0, 5, 1], [1_000, 5, 5], [1_749, 5, 1]).usableUntil).toBe(2_000)
})

test('given a claim was unused for too long, then the instance may claim more again after others have looked', () => {
  const claim = after([0, 5, 1], [2_000, 1, 1])
  expect([2_000, 2_700, 2_800].map((at) => claim.mayClaim(at, 1))).toEqual([false, false, true])
  expect(claim.mayClaim(2_000, 2)).toBe(true)
})
