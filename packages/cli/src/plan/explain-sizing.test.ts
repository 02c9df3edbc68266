import type { DatabaseLoad } from '@poolguard/core/postgres'
import { expect, test } from 'vitest'
import { explainSizing, type SizingOptions } from './explain-sizing.ts'

const load: DatabaseLoad = {
  elapsedMillis: 10_000,
  sessionMillis: 90_000,
  activeMillis: 12_000,
  idleInTransactionMillis: 36_000,
  transactions: 4_000,
}

test.each<
  [given: string, options: SizingOptions, load: DatabaseLoad | undefined, sizings: Readonly<Record<string, number>>]
>([
  ['nothing', {}, undefined, {}],
  ["the database's statistics", {}, load, { 'littles-law': 7 }],
  ['a load from the options, which overrides the statistics', { checkouts: 10, held: 10 }, load, { 'littles-law': 1 }],
  ['cores', { cores: 4 }, undefined, { cores: 9 }],
  ['cores and a load', { cores: 4 }, load, { 'littles-law': 7, cores: 9, 'busy-ratio': 16 }],
  ['the concurrency of one process', { concurrency: 8, connectionsEach: 2 }, undefined, { 'pool-locking': 9 }],
  ['a database without load', { cores: 4 }, { ...load, activeMillis: 0, transactions: 0 }, { cores: 9 }],
])('given %s, explains every formula with known inputs', (_, options, measured, sizings) => {
  const found = explainSizing(options, measured).map(({ method, connections }) => [method, connections])

  expect(Object.fromEntries(found)).toEqual(sizings)
})
