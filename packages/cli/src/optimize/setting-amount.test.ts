import { expect, test } from 'vitest'
import { amountIn, showAmount } from './setting-amount.ts'

test.each<[unit: string | null, text: string, amount: number, shown: string]>([
  [null, '100', 100, '100'],
  ['ms', '60s', 60_000, '1min'],
  ['ms', '45s', 45_000, '45s'],
  ['ms', '0', 0, '0'],
  ['s', '10', 10, '10s'],
  ['8kB', '2048MB', 262_144, '2GB'],
  ['kB', '668kB', 668, '668kB'],
  ['kB', '18MB', 18_432, '18MB'],
  ['ms', '-1', -1, '-1'],
])('in %s, %s is %d, and is shown as %s', (unit, text, amount, shown) => {
  expect(amountIn(unit, text)).toBe(amount)
  expect(showAmount(unit, amount)).toBe(shown)
})
