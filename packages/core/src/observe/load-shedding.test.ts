import { expect, test } from 'vitest'
import { type PoolCounts, runInLane } from '../pool/index.ts'
import { LoadShedding } from './load-shedding.ts'

/** A pool whose lane `jobs` is overloaded. */
const counts: PoolCounts = {
  ...{ max: 10, limit: 10, total: 10, idle: 0, active: 10, connecting: 0, waiting: 80, connectFailing: false },
  ...{ overloaded: true, retryAfterMillis: 4_000 },
  lanes: {
    web: { overloaded: false, retryAfterMillis: 1_000, waiting: 2 },
    jobs: { overloaded: true, retryAfterMillis: 4_000, waiting: 70 },
    default: { overloaded: false, retryAfterMillis: 1_000, waiting: 8 },
  },
}
const pool = { counts, snapshot: () => ({ stats: counts }) }

test('in a pool with lanes, only the load of the request’s own lane counts', () => {
  const shedding = new LoadShedding(() => [pool], {})
  expect(shedding.reject('jobs')).toBe(4)
  expect(shedding.reject('web')).toBeUndefined()
  expect(runInLane('jobs', () => shedding.reject())).toBe(4)
  expect([shedding.reject(), shedding.reject('reports')], 'without a lane, and in one of another pool').toEqual([
    undefined,
    undefined,
  ])
})

test('in a pool with lanes, only the waiters of the request’s own lane are counted', () => {
  const shedding = new LoadShedding(() => [pool], { waiters: 5, retryAfterSeconds: 2 })
  expect([shedding.reject('web'), shedding.reject('jobs'), shedding.reject()]).toEqual([undefined, 2, 2])
})
