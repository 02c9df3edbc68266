import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AcquireTimeoutError } from './errors.ts'
import type { LanesOptions } from './lane-settings.ts'
import type { Lease } from './lease.ts'
import type { PoolSettings } from './pool-settings.ts'
import type { FakeResource } from './testing/fake-factory.ts'
import { settled } from './testing/manual-clock.ts'
import { Outcome } from './testing/outcome.ts'
import { givenPool, type PoolUnderTest } from './testing/pool-under-test.ts'

type Caller = Outcome<Lease<FakeResource>>

interface LimitedPool extends PoolUnderTest {
  join(lane?: string): Caller
  joinMany(count: number, lane?: string): Promise<Caller[]>
}

function givenLimit(settings: Partial<PoolSettings>, lanes?: LanesOptions): LimitedPool {
  const given = givenPool({ validateAfterIdleMillis: Infinity, maxWaiters: Infinity, ...settings }, { lanes })
  const join = (lane?: string) => new Outcome(given.pool.acquire({ lane }))
  return {
    ...given,
    join,
    joinMany: async (count, lane) => {
      const callers = Array.from({ length: count }, () => join(lane))
      await settled()
      return callers
    },
  }
}

function served(callers: readonly Caller[]): number {
  return callers.filter(({ state }) => state === 'fulfilled').length
}

describe('a lending limit', () => {
  test('lends fewer resources than max at the same time, and opens no more of them', async () => {
    const { pool, factory, joinMany } = givenLimit({ max: 8, limit: 3 })
    const callers = await joinMany(10)

    expect(served(callers)).toBe(3)
    expect(factory.openings).toHaveLength(3)
    expect(pool.stats()).toMatchObject({ max: 8, limit: 3, active: 3, waiting: 7 })
  })

  test('that is adaptive begins with two for each core of the server, and one', async () => {
    const { pool } = givenLimit({ max: 50, limit: 'adaptive', serverCores: 8 })

    expect(pool.stats()).toMatchObject({ max: 50, limit: 17 })
  })

  test('above max changes nothing', async () => {
    const { pool, joinMany } = givenLimit({ max: 2, limit: 5 })

    expect(served(await joinMany(10))).toBe(2)
    expect(pool.stats()).toMatchObject({ max: 2, limit: 2 })
  })

  test('that rises serves waiters immediately, in order', async () => {
    const { pool, joinMany } = givenLimit({ max: 8, limit: 1 })
    const callers = await joinMany(6)
    pool.limitLending(4)
    await settled()

    expect(callers.map(({ state }) => state)).toEqual([...Array(4).fill('fulfilled'), ...Array(2).fill('pending')])
  })

  test('that falls lets current leases end, and lends the next resource once fewer are in use', async () => {
    const { pool, joinMany } = givenLimit({ max: 4 })
    const callers = await joinMany(6)
    pool.limitLending(2)
    for (const index of [0, 1]) callers[index]?.value?.release()
    await settled()
    expect(served(callers)).toBe(4)
    callers[2]?.value?.release()
    await settled()

    expect(served(callers)).toBe(5)
  })

  test('closes no resource when it falls, and opens none when it rises again', async () => {
    const { pool, factory, joinMany, events } = givenLimit({ max: 4 })
    for (const { value } of await joinMany(4)) value?.release()
    await settled()
    for (const limit of [1, 4, 2, Infinity]) {
      pool.limitLending(limit)
      const callers = await joinMany(4)
      while (served(callers) < 4) {
        for (const { value } of callers) value?.release()
        await settled()
      }
      for (const { value } of callers) value?.release()
    }

    expect(factory.openings).toHaveLength(4)
    expect(events.filter(({ type }) => type === 'closed')).toEqual([])
  })

  test('does not hold up resources that the pool acquires for itself, and does not count them', async () => {
    const { pool, joinMany } = givenLimit({ max: 4, limit: 1 })
    const [caller] = await joinMany(3)
    const internal = await pool.acquire({ internal: 'first' })
    caller?.value?.release()
    await settled()

    expect(internal.active).toBe(true)
    expect(pool.stats()).toMatchObject({ active: 2, waiting: 1 })
  })

  test('makes the pool exhausted for statements that could share a resource, although one is idle', async () => {
    const { pool, joinMany } = givenLimit({ max: 2 })
    const [first, second] = await joinMany(2)
    second?.value?.release()
    expect(pool.isExhausted(undefined)).toBe(false)
    pool.limitLending(1)

    expect(pool.isExhausted(undefined)).toBe(true)
    expect(first?.value?.isLasting).toBe(true)
  })

  test('below the resources in use accepts no more statements on them', async () => {
    const { pool, joinMany } = givenLimit({ max: 3 })
    const [first] = await joinMany(3)
    pool.limitLending(2)

    expect(first?.value?.isLasting).toBe(false)
  })

  test('is the whole in the share of resources that are in use', async () => {
    const { pool, clock, joinMany } = givenLimit({ max: 10, limit: 2 })
    await joinMany(5)
    await clock.advance(1_000)

    const { leasedMillis, capacityMillis } = pool.stats()
    expect(leasedMillis / capacityMillis).toBeCloseTo(1)
  })

  test('limits the demand of a fleet’s instance: more connections would not help', async () => {
    const { pool, joinMany } = givenLimit({ max: 4, limit: 3 })
    await joinMany(20)

    expect(pool.demand).toBe(3)
  })

  test('is named in the error of a caller that waited in vain', async () => {
    const { clock, joinMany } = givenLimit({ max: 10, limit: 1, acquireTimeoutMillis: 100 })
    const [, second] = await joinMany(2)
    await clock.advance(100)

    expect(second?.error).toBeInstanceOf(AcquireTimeoutError)
    expect(String(second?.error)).toMatch(
      /1 of 1 \(limit; max 10\) active.*All connections that the limit allows are in use/,
    )
  })

  test('overloads the pool while callers wait for it, although resources are idle', async () => {
    const { pool, clock, joinMany } = givenLimit({ max: 4 })
    for (const { value } of await joinMany(4)) value?.release()
    pool.limitLending(1)
    await joinMany(10)
    await clock.advance(150)

    expect(pool.counts.overloaded).toBe(true)
  })
})

describe('a lending limit and lanes', () => {
  const lanes: LanesOptions = { web: { reserve: 1 }, jobs: { max: '50%' } }

  test('percentages are of the limit', async () => {
    const { pool, joinMany } = givenLimit({ max: 16, limit: 4 }, lanes)
    const jobs = await joinMany(10, 'jobs')
    expect(served(jobs)).toBe(2)
    pool.limitLending(8)
    await settled()

    expect(served(jobs)).toBe(4)
    expect(pool.stats().lanes?.jobs).toMatchObject({ max: 4 })
  })

  test('a reserve goes no further than the limit', async () => {
    const { pool, joinMany } = givenLimit({ max: 8 }, lanes)
    await joinMany(4, 'jobs')
    pool.limitLending(2)

    expect(served(await joinMany(1, 'web'))).toBe(0)
  })

  test('a lane that the limit holds back is not described as held back by its own max', async () => {
    const { clock, joinMany } = givenLimit({ max: 8, limit: 2, acquireTimeoutMillis: 100 }, { web: {}, jobs: {} })
    const [, , third] = await joinMany(3, 'web')
    await clock.advance(100)

    expect(String(third?.error)).toMatch(/All connections that the limit allows/)
  })

  test('never more leases than the limit, and no waiter is lost, whatever lanes arrive and however the limit moves', async () => {
    const action = fc.oneof(
      fc.record({ join: fc.constantFrom('web', 'jobs', 'default') }),
      fc.record({ release: fc.nat(50) }),
      fc.record({ limit: fc.constantFrom(1, 2, 3, 5, Infinity) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
        const { pool, join } = givenLimit({ max: 6 }, { web: { reserve: 2 }, jobs: { max: '50%', reserve: 1 } })
        const callers: Caller[] = []
        const held = () => callers.filter(({ value }) => value?.active)
        let limit = Infinity
        for (const action of actions) {
          const before = held().length
          if ('join' in action) callers.push(join(action.join))
          else if ('release' in action) held()[action.release % Math.max(1, held().length)]?.value?.release()
          else {
            limit = action.limit
            pool.limitLending(limit)
          }
          await settled()
          expect(held().length).toBeLessThanOrEqual(Math.max(before, Math.min(limit, 6)))
        }
        for (let round = 0; served(callers) < callers.length; round++) {
          expect(round).toBeLessThan(200)
          for (const { value } of held()) value?.release()
          await settled()
        }
      }),
      { seed: 5, numRuns: 200 },
    )
  })
})
