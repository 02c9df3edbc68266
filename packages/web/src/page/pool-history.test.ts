import { DurationHistogram } from '@poolguard/core/adapter'
import { expect, test } from 'vitest'
import { PoolHistory } from './pool-history.ts'

const stats = (active: number, wait = new DurationHistogram()) => ({ active, max: 10, waiting: 2, wait: wait.read() })

test('given samples, then the history has them in order, and no percentile without waits', () => {
  const history = new PoolHistory()
  expect(history.latest).toBeUndefined()
  history.add(100, stats(1))
  history.add(102, stats(2))

  expect(history.read()).toEqual([
    [100, 1, 10, 2, null],
    [102, 2, 10, 2, null],
  ])
  expect(history.latest).toEqual([102, 2, 10, 2, null])
})

test('given waits, then the percentile is of those since the sample before', () => {
  const history = new PoolHistory()
  const wait = new DurationHistogram()
  for (let i = 0; i < 1_000; i++) wait.record(5_000)
  history.add(100, stats(1, wait))
  for (let i = 0; i < 100; i++) wait.record(60)
  history.add(102, stats(1, wait))

  const [before, after] = history.read()
  expect(before?.[4]).toBe(null)
  expect(after?.[4]).toBeGreaterThan(30)
  expect(after?.[4]).toBeLessThan(120)
})

test('given more samples than ten minutes have, then the oldest are dropped', () => {
  const history = new PoolHistory()
  for (let i = 0; i < 1_000; i++) history.add(2 * i, stats(i))

  const samples = history.read()
  expect(samples).toHaveLength(300)
  expect([samples[0]?.[0], samples.at(-1)?.[0]]).toEqual([1_400, 1_998])
  expect(samples[0]?.[1]).toBe(700)
})
