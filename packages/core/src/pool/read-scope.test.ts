import { expect, test } from 'vitest'
import { currentReadScope, runOnPrimary, runWithOwnWrites } from './read-scope.ts'

test('outside of any scope, reads may go to a replica, and the unit is the process', () => {
  expect(currentReadScope()).toEqual({ isOnPrimary: false, unit: undefined })
  runOnPrimary(() => {})
  expect(currentReadScope()).toEqual({ isOnPrimary: false, unit: undefined })
})

test('runOnPrimary holds for its callback and for what that awaits, and returns the result', async () => {
  const result = runOnPrimary(async () => {
    await undefined
    return currentReadScope().isOnPrimary
  })

  expect(currentReadScope().isOnPrimary).toBe(false)
  await expect(result).resolves.toBe(true)
})

test('each call of runWithOwnWrites is a unit of its own, and one within another is part of it', () => {
  const unit = () => currentReadScope().unit
  const [first, second] = [runWithOwnWrites(unit), runWithOwnWrites(unit)]
  expect(first).toBeTypeOf('object')
  expect(second).not.toBe(first)

  const [outer, inner] = runWithOwnWrites(() => [unit(), runWithOwnWrites(unit)])
  expect(inner).toBe(outer)
})

test('a unit within runOnPrimary stays on the primary, and runOnPrimary within a unit stays in the unit', () => {
  expect(runOnPrimary(() => runWithOwnWrites(currentReadScope))).toEqual({
    isOnPrimary: true,
    unit: expect.any(Object),
  })
  const [outer, inner] = runWithOwnWrites(() => [currentReadScope(), runOnPrimary(currentReadScope)])
  expect(inner).toEqual({ isOnPrimary: true, unit: outer?.unit })
  expect(inner?.unit).toBe(outer?.unit)
})
