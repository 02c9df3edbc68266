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

test('the only statement weighs 1, however its time changes', () => {
  const costs = new StatementCosts()
  const statement = {}
  const weights = new Set<number>()
  for (let slot = 0; slot < 200; slot++) {
    for (let i = 0; i < 2_000; i++) weights.add(costs.weigh(statement, slot % 2 === 0 ? 0.3 : 4.8))
    costs.age(100)
  }
  expect([...weights]).toEqual([1])
})

/** Slots of 100 ms by turns, in which all statements take as long as usual, or several times as long. @returns the work of the last ones. */
function workBySlot(perSlot: number, slower: number): readonly [work: number, slowerWork: number] {
  const costs = new StatementCosts()
  const [quick, report] = [{}, {}]
  const work: [number, number] = [0, 0]
  for (let slot = 0; slot < 400; slot++) {
    const at = slot % 2 === 0 ? 0 : 1
    work[at] = 0
    for (let i = 0; i < perSlot; i++) {
      const [statement, millis] = i % 20 === 0 ? [report, 30] : [quick, 1]
      work[at] += costs.weigh(statement, at === 0 ? millis : millis * slower)
    }
    costs.age(100)
  }
  return work
}

test.each([20, 200, 4_000])('the work of %d statements is the same in a slot in which all take longer', (perSlot) => {
  const [work, slowerWork] = workBySlot(perSlot, 5)

  expect(slowerWork / work).toBeGreaterThan(0.97)
  expect(slowerWork / work).toBeLessThan(1.03)
})

test('a statement that takes longer for good weighs more after some time', () => {
  const costs = new StatementCosts()
  const [a, b] = [{}, {}]
  const run = (seconds: number, millis: number) => {
    for (let i = 0; i < seconds * 10; i++) {
      for (let n = 0; n < 10; n++) costs.weigh(n % 2 === 0 ? a : b, n % 2 === 0 ? millis : 1)
      costs.age(100)
    }
  }
  run(60, 1)
  run(60, 9)

  expect(costs.weigh(a, 9)).toBeGreaterThan(1.7)
  expect(costs.weigh(b, 1)).toBeLessThan(0.3)
})
