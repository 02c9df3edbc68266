import { expect, test } from 'vitest'
import { guardOf, joinPools } from './join-pools.ts'

const KEY = Symbol('guard')

test('a pool has its guard under the key of its adapter', () => {
  const guard = {}

  expect(guardOf({ [KEY]: guard }, KEY)).toBe(guard)
})

test.each([
  ['an object', new Map(), "'Map'"],
  ['a function', () => {}, "'Function'"],
])('%s that is no guarded pool is rejected', (_, pool, shown) => {
  expect(() => joinPools(pool, [], KEY)).toThrow(`Invalid option replicas: ${shown}`)
})
