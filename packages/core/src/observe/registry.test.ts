import { expect, test } from 'vitest'
import { registerPool, snapshotPools } from './registry.ts'
import { observedPool } from './testing/observed-pool.ts'

function names(): string[] {
  return snapshotPools().map(({ name }) => name)
}

test('given pools were registered, then they are seen in the order they were made, until each is taken out', () => {
  const removeFirst = registerPool(observedPool('first'))
  const removeSecond = registerPool(observedPool('second'))
  expect(names()).toEqual(['first', 'second'])
  removeFirst()
  expect(names()).toEqual(['second'])
  removeSecond()
  removeSecond()
  expect(names()).toEqual([])
})

test('given one pool is registered twice, then it is seen once', () => {
  const pool = observedPool('only')
  const remove = registerPool(pool)
  registerPool(pool)
  expect(names()).toEqual(['only'])
  remove()
})

test('given another copy of the package, then both see the pools of both', async () => {
  const url = new URL('./registry.ts?copy', import.meta.url).href
  const copy: typeof import('./registry.ts') = await import(/* @vite-ignore */ url)
  expect(copy.registerPool).not.toBe(registerPool)
  const remove = copy.registerPool(observedPool('from the copy'))

  expect(names()).toEqual(['from the copy'])
  remove()
})
