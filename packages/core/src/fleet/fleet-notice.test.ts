import { expect, test } from 'vitest'
import { type FleetNotice, PAIRS, PERIOD_MILLIS } from '../adaptive/index.ts'
import { decodeNotice, encodeNotice, MAX_TOTAL } from './fleet-notice.ts'

const PERIOD = 119_666_667
const NOW = PERIOD * PERIOD_MILLIS + 11_000
const plan = { period: PERIOD, base: 16, candidate: 128 }
const result = { period: PERIOD, gain: -0.125, pairs: PAIRS, weight: 64 }

test.each<[given: string, notice: FleetNotice]>([
  ['no plan', { plan: undefined, result: undefined }],
  ['a plan', { plan, result: undefined }],
  ['a plan for the next period', { plan: { ...plan, period: PERIOD + 1 }, result: undefined }],
  ['an old plan', { plan: { ...plan, period: PERIOD - 34 }, result: undefined }],
  ['a result', { plan, result }],
  ['the largest totals', { plan: { period: PERIOD, base: MAX_TOTAL, candidate: MAX_TOTAL }, result }],
])('given %s, decoding yields what was encoded', (_, notice) => {
  const decoded = decodeNotice(encodeNotice(notice), NOW)

  expect(decoded.plan).toEqual(notice.plan)
  expect(decoded.result?.gain).toEqual(notice.result && expect.closeTo(notice.result.gain, 3))
  expect(decoded.result?.weight).toEqual(notice.result?.weight)
})

test('without a plan nothing is published', () => {
  expect(encodeNotice({ plan: undefined, result: undefined })).toBe('')
})

test('figures that are too large are cut', () => {
  const text = encodeNotice({ plan, result: { ...result, gain: 40, weight: 1e9 } })

  expect(text).toHaveLength(8)
  expect(decodeNotice(text, NOW).result?.gain).toBeCloseTo(3.235)
})

test('the result of another period than that of the plan is left out', () => {
  expect(encodeNotice({ plan, result: { ...result, period: PERIOD - 1 } })).toHaveLength(5)
})

test.each(['', '1', '123456', '1234567'])('%j says nothing', (text) => {
  expect(decodeNotice(text, NOW)).toEqual({ plan: undefined, result: undefined })
})
