import { expect, test } from 'vitest'
import { Emptiness } from './emptiness.ts'

test('given a promise, then it resolves with the last connection, and the next one with the next time', async () => {
  const emptiness = new Emptiness()
  const outcomes: string[] = []
  const first = emptiness.promise
  expect(emptiness.promise).toBe(first)
  void first.then(() => outcomes.push('first'))
  emptiness.left(1)
  await Promise.resolve()
  expect(outcomes).toEqual([])
  emptiness.left(0)
  await first

  const second = emptiness.promise
  expect(second).not.toBe(first)
  emptiness.left(0)
  await second
})
