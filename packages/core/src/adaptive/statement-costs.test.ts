import { expect, test } from 'vitest'
import { StatementCosts } from './statement-costs.ts'

test('weighs a statement by the time that it usually takes, relative to the mean', () => {
  const costs = new StatementCosts()
  const [quick, report] = [{}, {}]
  for (let i = 0; i < 1_000; i++) costs.weigh(i % 10 === 0 ? report : quick, i % 10 === 0 ? 91 : 1)

  expect(costs.weigh(quick, 1)).toBeCloseTo(0.1, 1)
  expect(costs.weigh(report, 91)).toBeCloseTo(9.1, 0)
})

test('one slow execution hardly changes the weight', () => {
  const costs = new StatementCosts()
  const [a, b] = [{}, {}]
  for (let i = 0; i < 1_000; i++) costs.weigh(i % 2 === 0 ? a : b, 1)
  costs.weigh(a, 20)

  expect(costs.weigh(a, 1)).toBeLessThan(1.1)
})
