import { expect, test, vi } from 'vitest'
import { closedPools } from './closed-pools.ts'
import { registerPool, snapshotPools } from './registry.ts'
import { observedPool } from './testing/observed-pool.ts'

function names(): string[] {
  return snapshotPools().map(({ name }) => name)
}

test('given registered pools, then they are listed in the order of registration, until each is removed', () => {
  const removeFirst = registerPool(observedPool('first'))
  const removeSecond = registerPool(observedPool('second'))
  expect(names()).toEqual(['first', 'second'])
  removeFirst()
  expect(names()).toEqual(['second'])
  removeSecond()
  removeSecond()
  expect(names()).toEqual([])
})

test('given a pool that is registered twice, then it is listed once', () => {
  const pool = observedPool('only')
  const remove = registerPool(pool)
  registerPool(pool)
  expect(names()).toEqual(['only'])
  remove()
})

test('given a second copy of the package, then both copies list the pools of both', async () => {
  const url = new URL('./registry.ts?copy', import.meta.url).href
  const copy: typeof import('./registry.ts') = await import(/* @vite-ignore */ url)
  expect(copy.registerPool).not.toBe(registerPool)
  const remove = copy.registerPool(observedPool('from the copy'))

  expect(names()).toEqual(['from the copy'])
  remove()
})

test('given many pools that are closed while no metrics are read, then their counts are added up, and their snapshots dropped', async () => {
  for (let i = 0; i < 30; i++) registerPool(observedPool('short-lived'))()
  await vi.dynamicImportSettled()

  const { snapshots, totals } = closedPools.value
  expect(snapshots.length).toBeLessThan(30)
  expect([...totals.keys()]).toContain('short-lived')
})
