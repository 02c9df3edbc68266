import { describe, expect, test } from 'vitest'
import {
  bestFixed,
  overBestFixed,
  overFixed,
  probingCost,
  type Round,
  rateBetween,
  settledAfterSeconds,
} from './judge.ts'

function round(adaptive: number, fixed: Readonly<Record<number, number>>, found = adaptive): Round {
  return { adaptive, found, fixed: new Map(Object.entries(fixed).map(([limit, rate]) => [Number(limit), rate])) }
}

const RATES = new Map([
  [1, 100],
  [4, 300],
  [16, 200],
])

test('the best fixed limit of a round is the one that the other rounds chose', () => {
  const rounds = [round(90, { 1: 80, 4: 100 }), round(90, { 1: 80, 4: 100 }), round(90, { 1: 300, 4: 100 })]

  expect(overBestFixed(rounds, [1, 4])).toEqual([90 / 80, 90 / 80, 0.9])
})

test('a fast round does not decide alone which limit is the best', () => {
  const rounds = [round(1, { 1: 10, 4: 12 }), round(1, { 1: 10, 4: 12 }), round(1, { 1: 130, 4: 100 })]

  expect(bestFixed(rounds, [1, 4])).toBe(4)
})

test('the rule and the cost of comparing limits count in each round', () => {
  const rounds = [round(95, { 5: 50 }, 100), round(40, { 5: 40 }, 50)]

  expect(overFixed(rounds, 5)).toEqual([1.9, 1])
  expect(probingCost(rounds)).toEqual([1 - 0.95, 1 - 0.8])
})

test.each([
  [1, 100],
  [2, 200],
  [4, 300],
  [8, 250],
  [16, 200],
  [64, 200],
])('between measured limits the rate is linear over the logarithm: %d', (limit, rate) => {
  expect(rateBetween(RATES, limit)).toBeCloseTo(rate)
})

describe('the time to settle', () => {
  const trace = (limits: readonly number[]) => limits.map((limit, i) => ({ atMillis: 1_000 * i, limit }))

  test('is 0 if the limit is right from the start', () => {
    expect(settledAfterSeconds(trace(Array(10).fill(4)), 0, RATES)).toBe(0)
  })

  test('ends when a good limit begins that stays for five seconds', () => {
    expect(settledAfterSeconds(trace([1, 1, 4, 16, 16, 4, 4, 4, 5, 4, 4, 4]), 1_000, RATES)).toBe(4)
  })

  test('is all of the time if the limit is never good for five seconds', () => {
    expect(settledAfterSeconds(trace([1, 4, 4, 1, 4, 1]), 0, RATES)).toBe(5)
  })
})
