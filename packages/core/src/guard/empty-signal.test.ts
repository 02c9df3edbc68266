import { expect, test } from 'vitest'
import { EmptySignal } from './empty-signal.ts'

test('resolves when the last connection is closed, and the next promise when the pool is empty again', async () => {
  const emptySignal = new EmptySignal()
  const outcomes: string[] = []
  const first = emptySignal.promise
  expect(emptySignal.promise).toBe(first)
  void first.then(() => outcomes.push('first'))
  emptySignal.check({ total: 1, waiting: 0 })
  emptySignal.check({ total: 0, waiting: 1 })
  await Promise.resolve()
  expect(outcomes).toEqual([])
  emptySignal.check({ total: 0, waiting: 0 })
  await first

  const second = emptySignal.promise
  expect(second).not.toBe(first)
  emptySignal.check({ total: 0, waiting: 0 })
  await second
})
