import { expect, test } from 'vitest'
import type { Held } from '../fault-table/messages.ts'
import { growthOf } from './findings.ts'

const held = (over: Partial<Held> = {}): Held => ({ heapBytes: 20_000_000, resources: 10, listeners: 4, ...over })

test('what stays, and what happens to be active at the time, is no growth', () => {
  const samples = [5, 12, 9, 14, 10, 12, 8].map((resources, n) =>
    held({ resources, heapBytes: 20_000_000 + n * 100_000 }),
  )
  expect(growthOf(samples)).toEqual([])
})

test.each([
  ['heapBytes', 3_000_000, 'bytes of heap grow from 26000000 to 41000000'],
  ['resources', 3, 'active handles and requests grow from 16 to 31'],
  ['listeners', 1, 'listeners of the process grow from 6 to 11'],
] as const)('%s that grow by %i at each sample are found', (key, step, sentence) => {
  const samples = Array.from({ length: 8 }, (_, n) => held({ [key]: held()[key] + n * step }))
  expect(growthOf(samples)).toEqual([sentence])
})

test('the first sample does not count, and too few samples say nothing', () => {
  expect(growthOf([held({ resources: 0 }), ...Array.from({ length: 6 }, () => held({ resources: 100 }))])).toEqual([])
  expect(growthOf([held(), held(), held({ resources: 100 })])).toEqual([])
})
