import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidOptionError } from '../invalid-option-error.ts'
import { type ConnectionShare, divideAmongLanes, type LanesOptions, validateLanes } from './lane-settings.ts'

describe('the option lanes', () => {
  test.each<[unknown, string]>([
    [[], "lanes: an array of 0. It takes an object, as in { web: {}, jobs: { max: '50%' } }."],
    [{ '': {} }, "lanes: ''. It takes the name of a lane: up to 40 letters, digits, `.`, `_` and `-`."],
    [{ jobs: 5 }, "lanes.jobs: 5. It takes an object, as in { max: '50%', reserve: 1, priority: 2 }."],
    [
      { jobs: { maximum: 5 } },
      'lanes.jobs.maximum: 5. It takes no value: a lane has no such setting, only max, reserve, priority.',
    ],
    [
      { jobs: { max: 0 } },
      'lanes.jobs.max: 0. It takes a number of connections of at least 1, or a percentage from 1% to 100%.',
    ],
    [{ jobs: { max: '50' } }, "lanes.jobs.max: '50'."],
    [{ jobs: { max: '0%' } }, 'from 1% to 100%.'],
    [{ jobs: { max: '101%' } }, 'from 1% to 100%.'],
    [{ jobs: { max: '150%' } }, 'lanes.jobs.max: a text of 4 characters (not shown).'],
    [{ jobs: { reserve: -1 } }, 'lanes.jobs.reserve: -1.'],
    [{ jobs: { reserve: 1.5 } }, 'lanes.jobs.reserve: 1.5.'],
    [{ jobs: { priority: 0 } }, 'lanes.jobs.priority: 0. It takes a number greater than 0.'],
    [{ jobs: { priority: Infinity } }, 'lanes.jobs.priority: Infinity.'],
    [{ jobs: { max: 2, reserve: 3 } }, 'lanes.jobs.reserve: 3. It takes no more than lanes.jobs.max, which is 2.'],
    [{ jobs: { max: '20%', reserve: '30%' } }, 'It takes no more than lanes.jobs.max, which is 20%.'],
    [{ a: { reserve: '60%' }, b: { reserve: '50%' } }, 'It takes reserves of at most 100 % together; they are 110 %.'],
    [Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`lane${i}`, {}])), 'It takes at most 16 lanes.'],
  ])('rejects %j', (lanes, message) => {
    const validate = () => validateLanes(lanes as LanesOptions)
    expect(validate).toThrow(InvalidOptionError)
    expect(validate).toThrow(message)
  })

  test.each<LanesOptions>([
    {},
    { web: {}, jobs: { max: '50%', reserve: 1 } },
    { default: { reserve: '12.5%' }, 'nightly.v2_b-c': { priority: 0.5 } },
    { jobs: { max: '1%', reserve: '0%' }, web: { max: '100%', reserve: '100%' } },
    { jobs: { max: 1, reserve: 0 }, web: { max: 2, reserve: 2 } },
    // Only the pool's size decides whether 3 is more than 20 %.
    { jobs: { max: '20%', reserve: 3 } },
  ])('accepts %j', (lanes) => {
    expect(() => validateLanes(lanes)).not.toThrow()
  })
})

describe('the connections of a pool are divided', () => {
  test.each<[LanesOptions, number, Record<string, [max: number, reserve: number, reason: string]>]>([
    [{}, 10, { default: [10, 0, 'default'] }],
    [
      { web: {}, jobs: { max: '50%', reserve: 1 } },
      10,
      { web: [10, 0, 'default'], jobs: [5, 1, 'max is 50% of 10; reserve given'], default: [10, 0, 'default'] },
    ],
    [{ jobs: { max: '25%' } }, 3, { jobs: [1, 0, 'max is 25% of 3'], default: [3, 0, 'default'] }],
    [
      { jobs: { max: 8, reserve: '50%' } },
      4,
      { jobs: [4, 2, 'max given; reserve is 50% of 4'], default: [4, 0, 'default'] },
    ],
    [
      { web: { reserve: 2 }, jobs: { reserve: 2 } },
      4,
      {
        web: [4, 2, 'reserve given'],
        jobs: [4, 1, "reserve given as 2, lowered so that every lane can get one of the pool's 4"],
        default: [4, 0, 'default'],
      },
    ],
    [
      { default: { reserve: 1 }, jobs: { reserve: 1 } },
      1,
      {
        default: [1, 0, "reserve given as 1, lowered so that every lane can get one of the pool's 1"],
        jobs: [1, 0, "reserve given as 1, lowered so that every lane can get one of the pool's 1"],
      },
    ],
  ])('%j of %i', (lanes, poolMax, expected) => {
    const quotas = divideAmongLanes(lanes, poolMax).map(({ name, max, reserve, reason }) => [
      name,
      [max, reserve, reason],
    ])
    expect(Object.fromEntries(quotas)).toEqual(expected)
  })

  test('so that every lane can get one, however many are reserved', () => {
    const share: fc.Arbitrary<ConnectionShare> = fc.oneof(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 100 }).map((percent): ConnectionShare => `${percent}%`),
    )
    const settings = fc.record({ max: share, reserve: share }, { requiredKeys: [] })
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('web', 'jobs', 'reports', 'default'), settings),
        fc.integer({ min: 1, max: 30 }),
        (lanes, poolMax) => {
          const quotas = divideAmongLanes(lanes, poolMax)
          for (const { name, max, reserve } of quotas) {
            const othersReserve = quotas.reduce((sum, each) => sum + (each.name === name ? 0 : each.reserve), 0)
            expect(max).toBeGreaterThanOrEqual(1)
            expect(max).toBeLessThanOrEqual(poolMax)
            expect(reserve).toBeLessThanOrEqual(max)
            expect(Math.max(reserve, poolMax - othersReserve), `what ${name} can get`).toBeGreaterThanOrEqual(1)
            expect(reserve + othersReserve).toBeLessThanOrEqual(poolMax)
          }
        },
      ),
      { seed: 22, numRuns: 500 },
    )
  })
})
