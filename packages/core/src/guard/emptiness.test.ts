import { expect, test } from 'vitest'
import { Emptiness } from './emptiness.ts'

test('given a promise, then it resolves with the last connection, and the next one with the next time', async () => {
  const emptiness = new Emptiness()
  const outcomes: string[] = []
  const first = emptiness.promise
  expect(emptiness.promise).toBe(first)
  void first.then(() => outcomes.push('first'))
  emptiness.check({ total: 1, waiting: 0 })
  emptiness.check({ total: 0, waiting: 1 })
  await Promise.resolve()
  expect(outcomes).toEqual([])
  emptiness.check({ total: 0, waiting: 0 })
  await first

  const second = emptiness.promise
  expect(second).not.toBe(first)
  emptiness.check({ total: 0, waiting: 0 })
  await second
})
