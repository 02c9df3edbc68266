import { expect, test } from 'vitest'
import { plotCurves } from './plot-curves.ts'

test('a plot has a point for each fixed limit, and the adaptive one, in both panels of a cell', () => {
  const values = new Map<number | 'adaptive', number>([
    [1, 10],
    [4, 40],
    [64, 20],
    ['adaptive', 39],
  ])
  const svg = plotCurves([{ title: 'Hot rows', found: 4, throughput: values, heldP99Millis: values }])

  expect(svg.match(/<circle class="point"/g)).toHaveLength(1 + 2 * 3)
  expect(svg.match(/<circle class="found"/g)).toHaveLength(1 + 2)
  expect(svg).toContain('Hot rows')
  expect(svg).not.toMatch(/NaN|undefined/)
})
