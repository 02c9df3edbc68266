import { expect, test } from 'vitest'
import { CapacityTime } from './lease-tracker.ts'

test('given a pool that is resized, then each max counts for its duration', () => {
  const capacity = new CapacityTime(10, 1_000)
  expect(capacity.read(1_000)).toBe(0)
  expect(capacity.read(3_000)).toBe(20_000)
  capacity.resize(5, 3_000)
  expect(capacity.read(3_000)).toBe(20_000)
  capacity.resize(0, 4_000)
  expect(capacity.read(9_000)).toBe(25_000)
})
