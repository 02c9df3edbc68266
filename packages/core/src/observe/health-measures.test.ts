import { expect, test } from 'vitest'
import { DurationHistogram, type PoolStats } from '../pool/index.ts'
import { healthCounters } from './health-measures.ts'

test('given the statistics of a pool, then only the compared ones are kept', () => {
  const wait = new DurationHistogram().read()
  const stats = { takenAtMillis: 1, leasedMillis: 2, capacityMillis: 3, opened: 4, wait, connectFailures: { full: 5 } }
  expect(healthCounters({ ...stats, waitByLabel: { route: wait }, active: 7 } as unknown as PoolStats)).toEqual({
    ...stats,
    wait: { count: 0, sumMillis: 0 },
  })
})
