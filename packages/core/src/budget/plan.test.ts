import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidOptionError } from '../invalid-option-error.ts'
import { type Capacity, usableSlots } from './capacity.ts'
import { BudgetError, defaultHeadroom, planBudget } from './plan.ts'

const server: Capacity = {
  maxConnections: 100,
  reserved: 3,
  roleLimit: null,
  databaseLimit: null,
  used: 0,
  usedByRole: 0,
  usedByDatabase: 0,
}

describe('usable slots', () => {
  test.each<[given: string, capacity: Partial<Capacity>, usable: number]>([
    ['nothing but max_connections', {}, 97],
    ['a role limit', { roleLimit: 20 }, 20],
    ['a database limit', { databaseLimit: 30 }, 30],
    ['both', { roleLimit: 20, databaseLimit: 10 }, 10],
    ['limits beyond what the server has', { roleLimit: 500, databaseLimit: 500 }, 97],
    ['a role that may not connect', { roleLimit: 0 }, 0],
    ['more reserved than there is', { maxConnections: 5, reserved: 8 }, 0],
  ])('given %s', (_, capacity, usable) => {
    expect(usableSlots({ ...server, ...capacity })).toBe(usable)
  })
})

describe('headroom', () => {
  test.each([
    [0, 3],
    [10, 3],
    [30, 3],
    [31, 4],
    [97, 10],
    [500, 50],
  ])('of %i usable is %i: 3, or 10 %%, whichever is more', (usable, headroom) => {
    expect(defaultHeadroom(usable)).toBe(headroom)
  })

  test('given one, then that holds, 0 included', () => {
    expect(planBudget({ capacity: server, instances: 1, headroom: 0 })).toMatchObject({
      headroom: 0,
      maxPerInstance: 97,
    })
    expect(planBudget({ capacity: server, instances: 1, headroom: 40 })).toMatchObject({
      headroom: 40,
      maxPerInstance: 57,
    })
  })
})

describe('a plan', () => {
  test('shares equally what is usable, less the headroom, and shows the arithmetic', () => {
    expect(planBudget({ capacity: { ...server, maxConnections: 20 }, instances: 6 })).toEqual({
      maxPerInstance: 2,
      instances: 6,
      headroom: 3,
      usable: 17,
      steps: [
        'max_connections 20 - 3 reserved = 17',
        '17 usable - 3 headroom = 14 to share',
        '14 / 6 instances = 2 each',
      ],
    })
  })

  test('names the limits that are the tightest', () => {
    const { steps } = planBudget({ capacity: { ...server, roleLimit: 20, databaseLimit: 20 }, instances: 2 })

    expect(steps).toEqual([
      'max_connections 100 - 3 reserved = 97',
      "the role's CONNECTION LIMIT allows 20",
      "the database's CONNECTION LIMIT allows 20",
      '20 usable - 3 headroom = 17 to share',
      '17 / 2 instances = 8 each',
    ])
  })

  test('never gives out more than there is', () => {
    fc.assert(
      fc.property(capacities, fc.integer({ min: 1, max: 300 }), (capacity, instances) => {
        try {
          const { maxPerInstance, headroom, usable } = planBudget({ capacity, instances })
          expect(maxPerInstance).toBeGreaterThanOrEqual(1)
          expect(maxPerInstance * instances + headroom).toBeLessThanOrEqual(usable)
          expect((maxPerInstance + 1) * instances + headroom).toBeGreaterThan(usable)
        } catch (error) {
          expect(error).toBeInstanceOf(BudgetError)
        }
      }),
      { seed: 6 },
    )
  })

  test.each([0, -1, 1.5, Number.NaN, Infinity])('is refused for %d instances', (instances) => {
    expect(() => planBudget({ capacity: server, instances })).toThrow(InvalidOptionError)
  })

  test.each([-1, 1.5, Number.NaN])('is refused for a headroom of %d', (headroom) => {
    expect(() => planBudget({ capacity: server, instances: 1, headroom })).toThrow(InvalidOptionError)
  })
})

describe('a plan that does not fit', () => {
  test.each<
    [given: string, capacity: Partial<Capacity>, instances: number, headroom: number | undefined, message: string]
  >([
    [
      'too many instances',
      { maxConnections: 20 },
      15,
      undefined,
      '15 instances cannot share 14 connections (17 usable - 3 headroom). Run at most 14 instances, put PgBouncer in front, or raise max_connections to 21.',
    ],
    [
      'a headroom that grows with what is usable',
      {},
      200,
      undefined,
      '200 instances cannot share 87 connections (97 usable - 10 headroom). Run at most 87 instances, put PgBouncer in front, or raise max_connections to 226.',
    ],
    [
      'a role limit',
      { roleLimit: 10 },
      20,
      5,
      "20 instances cannot share 5 connections (10 usable - 5 headroom). Run at most 5 instances, put PgBouncer in front, or raise the role's CONNECTION LIMIT to 25.",
    ],
    [
      'two limits that are both too low',
      { roleLimit: 10, databaseLimit: 12 },
      20,
      5,
      "20 instances cannot share 5 connections (10 usable - 5 headroom). Run at most 5 instances, put PgBouncer in front, or raise the role's CONNECTION LIMIT to 25 and the database's CONNECTION LIMIT to 25.",
    ],
    [
      'a role limit under a server that is too small as well',
      { maxConnections: 20, roleLimit: 10 },
      20,
      5,
      "20 instances cannot share 5 connections (10 usable - 5 headroom). Run at most 5 instances, put PgBouncer in front, or raise max_connections to 28 and the role's CONNECTION LIMIT to 25.",
    ],
    [
      'nothing to share at all',
      { roleLimit: 2 },
      1,
      undefined,
      "1 instances cannot share 0 connections (2 usable - 3 headroom). Put PgBouncer in front, or raise the role's CONNECTION LIMIT to 4.",
    ],
  ])('given %s, says what to change, and to what', (_, capacity, instances, headroom, message) => {
    const error = refusalOf(() => planBudget({ capacity: { ...server, ...capacity }, instances, headroom }))

    expect(error.message).toBe(message)
    expect(error.code).toBe('POOLGUARD_BUDGET')
  })

  test('fits as soon as its advice is followed, and not a connection earlier', () => {
    fc.assert(
      fc.property(
        capacities,
        fc.integer({ min: 1, max: 400 }),
        fc.option(fc.nat(50), { nil: undefined }),
        (capacity, instances, headroom) => {
          const plan = (capacity: Capacity, count = instances) => planBudget({ capacity, instances: count, headroom })
          let message: string
          try {
            plan(capacity)
            return
          } catch (error) {
            message = (error as Error).message
          }
          const fewer = /at most (\d+) instances/.exec(message)
          if (fewer) {
            expect(plan(capacity, Number(fewer[1])).maxPerInstance).toBeGreaterThanOrEqual(1)
            expect(() => plan(capacity, Number(fewer[1]) + 1)).toThrow(BudgetError)
          }

          const raised = follow(message, capacity, 0)
          expect(plan(raised).maxPerInstance).toBe(1)
          expect(() => plan(follow(message, capacity, -1))).toThrow(BudgetError)
        },
      ),
      { seed: 7, numRuns: 2_000 },
    )
  })
})

const capacities: fc.Arbitrary<Capacity> = fc.record({
  maxConnections: fc.integer({ min: 1, max: 300 }),
  reserved: fc.nat(10),
  roleLimit: fc.option(fc.nat(300)),
  databaseLimit: fc.option(fc.nat(300)),
  used: fc.nat(300),
  usedByRole: fc.nat(300),
  usedByDatabase: fc.nat(300),
})

/** The capacity after the limits that a refusal names were raised as it says. */
function follow(message: string, capacity: Capacity, less: number): Capacity {
  const advised = (limit: string) => {
    const found = new RegExp(`${limit} to (\\d+)`).exec(message)
    return found ? Number(found[1]) + less : undefined
  }
  return {
    ...capacity,
    maxConnections: advised('max_connections') ?? capacity.maxConnections,
    roleLimit: advised("the role's CONNECTION LIMIT") ?? capacity.roleLimit,
    databaseLimit: advised("the database's CONNECTION LIMIT") ?? capacity.databaseLimit,
  }
}

function refusalOf(run: () => unknown): BudgetError {
  try {
    run()
  } catch (error) {
    if (error instanceof BudgetError) return error
    throw error
  }
  throw new Error('it fits')
}
