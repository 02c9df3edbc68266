import { expect, test } from 'vitest'
import { RecentKeys } from './recent-keys.ts'

test('given a key that is read repeatedly, then the key and its value stay', () => {
  const keys = new RecentKeys<number, string>(10)
  keys.add(-1, 'first')
  for (let index = 0; index < 1_000; index++) {
    keys.add(index, 'other')
    if (index % 4 === 0) expect(keys.get(-1)).toBe('first')
    expect(keys.size).toBeLessThanOrEqual(10)
  }
})

test('given as many other keys as the capacity, then a key is dropped', () => {
  const keys = new RecentKeys<number, true>(10)
  keys.add(-1, true)
  for (let index = 0; index < 10; index++) keys.add(index, true)

  expect(keys.get(-1)).toBeUndefined()
  expect(keys.get(9)).toBe(true)
})

test('given long texts, then it keeps at most 5 MiB of characters', () => {
  const keys = new RecentKeys<string, true>(1_000)
  const text = (index: number) => `${index}`.padEnd(1024 * 1024, 'x')
  for (let index = 0; index < 12; index++) keys.add(text(index), true)

  expect(keys.size).toBeLessThanOrEqual(5)
  expect(keys.get(text(11))).toBe(true)
  expect(keys.get(text(0))).toBeUndefined()
})
