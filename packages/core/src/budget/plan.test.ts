import { describe, expect, test } from 'vitest'
import { InvalidOptionError } from '../invalid-option-error.ts'
import { BudgetError } from './budget-error.ts'
import { type Capacity, usableSlots } from './capacity.ts'
import { planBudget } from './plan.ts'
import type { PlanInput } from './plan-input.ts'
import type { PoolerCapacity } from './pooler-capacity.ts'
import { defaultHeadroom } from './supply.ts'
import type { Surge } from './surge.ts'

const server: Capacity = {
  maxConnections: 100,
  reserved: 3,
  roleLimit: null,
  databaseLimit: null,
  used: 0,
  usedByRole: 0,
  usedByDatabase: 0,
}

const pooler: PoolerCapacity = {
  mode: 'transaction',
  maxClients: 1000,
  otherClients: 0,
  poolSize: 20,
  reservePoolSize: 0,
  maxDbConnections: null,
  maxUserConnections: null,
}

describe('usable slots', () => {
  test.each<[given: string, capacity: Partial<Capacity>, usable: number]>([
    ['nothing but max_connections', {}, 97],
    ['a role limit', { roleLimit: 20 }, 20],
    ['a database limit', { databaseLimit: 30 }, 30],
    ['both', { roleLimit: 20, databaseLimit: 10 }, 10],
    ['limits above those of the server', { roleLimit: 500, databaseLimit: 500 }, 97],
    ['a role that may not connect', { roleLimit: 0 }, 0],
    ['more reserved than available', { maxConnections: 5, reserved: 8 }, 0],
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
    [70, 7],
    [97, 10],
    [500, 50],
  ])('of %i usable is %i: 3, or 10 %%, whichever is more', (usable, headroom) => {
    expect(defaultHeadroom(usable)).toBe(headroom)
  })

  test('given a headroom, then it applies, including 0', () => {
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
  test('divides the usable connections minus the headroom equally, and shows the calculation', () => {
    expect(planBudget({ capacity: { ...server, maxConnections: 20 }, instances: 6 })).toEqual({
      maxPerPool: 2,
      maxPerInstance: 2,
      instances: 6,
      pools: 6,
      headroom: 3,
      usable: 17,
      steps: [
        'max_connections 20 - 3 reserved = 17',
        '17 usable - 3 headroom = 14 to share',
        '14 / 6 instances = 2 each',
      ],
    })
  })

  test('names the tightest limits', () => {
    const { steps } = planBudget({ capacity: { ...server, roleLimit: 20, databaseLimit: 20 }, instances: 2 })

    expect(steps).toEqual([
      'max_connections 100 - 3 reserved = 97',
      "the role's CONNECTION LIMIT allows 20",
      "the database's CONNECTION LIMIT allows 20",
      '20 usable - 3 headroom = 17 to share',
      '17 / 2 instances = 8 each',
    ])
  })

  test('counts surge, processes, pools, migrations and connections of other applications', () => {
    const budget = planBudget({
      capacity: { ...server, roleLimit: 70 },
      instances: 4,
      maxSurge: '25%',
      processesPerInstance: 2,
      poolsPerProcess: 2,
      migrations: 1,
      others: { connections: 12, ofRole: 5, ofDatabase: 0 },
    })

    expect(budget).toMatchObject({ maxPerPool: 2, maxPerInstance: 8, instances: 5, pools: 20, usable: 65, headroom: 7 })
    expect(budget.steps).toEqual([
      'max_connections 100 - 3 reserved - 12 used by others = 85',
      "the role's CONNECTION LIMIT 70 - 5 used by others = 65",
      '65 usable - 7 headroom - 1 for migrations = 57 to share',
      '4 instances + 1 surge (25%) = 5 at once during a deploy',
      '5 instances x 2 processes x 2 pools = 20 pools',
      '57 / 20 pools = 2 each',
    ])
  })

  test('given a pooler that shares its servers, then gives no pool more than the pooler serves at the same time', () => {
    const { maxPerPool, steps } = planBudget({
      capacity: server,
      instances: 6,
      pooler: { ...pooler, otherClients: 20, reservePoolSize: 5, maxDbConnections: 22 },
    })

    expect(maxPerPool).toBe(22)
    expect(steps.slice(2)).toEqual([
      'the pooler opens at most 22 of those 87 (pool size 20 + 5 reserve, held to 22 by max_db_connections 22), in transaction mode',
      'max_client_conn 1000 - 20 other clients = 980 clients',
      '980 clients / 6 instances = 163 each, of which the pooler serves no more than 22 at the same time',
    ])
  })

  test('given a pooler with nothing but a pool size, then shows only that', () => {
    expect(planBudget({ capacity: server, instances: 6, pooler }).steps.slice(2)).toEqual([
      'the pooler opens at most 20 of those 87 (pool size 20), in transaction mode',
      'max_client_conn 1000 = 1000 clients',
      '1000 clients / 6 instances = 166 each, of which the pooler serves no more than 20 at the same time',
    ])
  })

  test('names every limit of the pooler that holds its servers down', () => {
    const limits = { maxDbConnections: 12, maxUserConnections: 12 }
    expect(planBudget({ capacity: server, instances: 1, pooler: { ...pooler, ...limits } }).steps).toContain(
      'the pooler opens at most 12 of those 87 (pool size 20, held to 12 by max_db_connections 12 and max_user_connections 12), in transaction mode',
    )
    const looser = { maxDbConnections: 30, maxUserConnections: 15 }
    expect(planBudget({ capacity: server, instances: 1, pooler: { ...pooler, ...looser } }).steps).toContain(
      'the pooler opens at most 15 of those 87 (pool size 20, held to 15 by max_user_connections 15), in transaction mode',
    )
  })

  test('given a pooler in session mode, then each client takes one of its servers', () => {
    const { maxPerPool, steps } = planBudget({ capacity: server, instances: 6, pooler: { ...pooler, mode: 'session' } })

    expect(maxPerPool).toBe(3)
    expect(steps.at(-1)).toBe('20 / 6 instances = 3 each')
  })

  test.each([0, -1, 1.5, Number.NaN, Infinity])('is rejected for %d instances', (instances) => {
    expect(() => planBudget({ capacity: server, instances })).toThrow(InvalidOptionError)
  })

  test.each(['25', '-1%', '1.5%', -1, 0.25])('is rejected for a surge of %s', (maxSurge) => {
    expect(() => planBudget({ capacity: server, instances: 1, maxSurge: maxSurge as Surge })).toThrow(
      InvalidOptionError,
    )
  })

  test.each(['processesPerInstance', 'poolsPerProcess'])('is rejected for 0 %s', (option) => {
    expect(() => planBudget({ capacity: server, instances: 1, [option]: 0 })).toThrow(option)
  })

  test('that leaves too little is named, with a value that fits', () => {
    const plan = () => planBudget({ capacity: { ...server, maxConnections: 100 }, instances: 2, headroom: 200 })
    expect(plan).toThrow(/Lower the headroom to 95, put PgBouncer in front/)
    expect(() => planBudget({ capacity: server, instances: 500, headroom: 1 })).not.toThrow(/the headroom to/)
  })

  test.each([-1, 1.5, Number.NaN])('is rejected for a headroom of %d', (headroom) => {
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
      '15 instances cannot share 14 connections (17 usable - 3 headroom). Run at most 14 instances, put PgBouncer in front, or raise max_connections to 21. 1 more costs the server 2 to 10 MB before any query runs (https://blog.anarazel.de/2020/10/07/measuring-the-memory-overhead-of-a-postgres-connection/).',
    ],
    [
      'a headroom that grows with the usable connections',
      {},
      200,
      undefined,
      '200 instances cannot share 87 connections (97 usable - 10 headroom). Run at most 87 instances, put PgBouncer in front, or raise max_connections to 226. 126 more cost the server 252 to 1260 MB before any query runs (https://blog.anarazel.de/2020/10/07/measuring-the-memory-overhead-of-a-postgres-connection/).',
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
      "20 instances cannot share 5 connections (10 usable - 5 headroom). Run at most 5 instances, put PgBouncer in front, or raise max_connections to 28 and the role's CONNECTION LIMIT to 25. 8 more cost the server 16 to 80 MB before any query runs (https://blog.anarazel.de/2020/10/07/measuring-the-memory-overhead-of-a-postgres-connection/).",
    ],
    [
      'nothing to share',
      { roleLimit: 2 },
      1,
      undefined,
      "1 instance cannot share 0 connections (2 usable - 3 headroom). Put PgBouncer in front, or raise the role's CONNECTION LIMIT to 4.",
    ],
  ])('given %s, says which numbers to change, and their new values', (_, capacity, instances, headroom, message) => {
    const error = refusalOf(() => planBudget({ capacity: { ...server, ...capacity }, instances, headroom }))

    expect(error.message).toBe(message)
    expect(error.code).toBe('POOLGUARD_BUDGET')
  })

  test.each<[given: string, input: Partial<PlanInput>, message: string]>([
    [
      'a surge',
      { instances: 14, maxSurge: '25%', capacity: { ...server, maxConnections: 20 } },
      '18 instances (14 + 4 surge) cannot share 14 connections (17 usable - 3 headroom). Run at most 11 instances, deploy with a maxSurge of 0, put PgBouncer in front, or raise max_connections to 24. 4 more cost',
    ],
    [
      'several pools in several processes next to other applications',
      {
        instances: 5,
        processesPerInstance: 4,
        poolsPerProcess: 2,
        others: { connections: 80, ofRole: 0, ofDatabase: 0 },
      },
      '5 instances x 4 processes x 2 pools = 40 pools cannot share 14 connections (17 usable - 3 headroom, other applications hold 80). Run at most 1 instance, put PgBouncer in front, or raise max_connections to 128.',
    ],
    [
      'one instance whose pools alone are too many',
      { instances: 1, poolsPerProcess: 20, capacity: { ...server, maxConnections: 20 } },
      '1 instance x 20 pools = 20 pools cannot share 14 connections (17 usable - 3 headroom). Put PgBouncer in front, or raise max_connections to 26.',
    ],
    [
      'migrations beside the instances',
      { instances: 14, migrations: 2, capacity: { ...server, maxConnections: 20 } },
      '14 instances cannot share 12 connections (17 usable - 3 headroom - 2 for migrations). Run at most 12 instances, put PgBouncer in front, or raise max_connections to 22.',
    ],
    [
      'a pooler without servers',
      { pooler: { ...pooler, poolSize: 0 } },
      '1 instance cannot share 0 servers of the pooler. Raise default_pool_size to 1.',
    ],
    [
      'a pooler that opens too many and admits too few',
      { instances: 6, capacity: { ...server, maxConnections: 20 }, pooler: { ...pooler, maxClients: 5 } },
      'Lower default_pool_size and reserve_pool_size to 14 together and raise max_client_conn to 6, or raise max_connections to 26 and max_client_conn to 6.',
    ],
    [
      'a pooler that opens more than are available',
      { instances: 2, capacity: { ...server, maxConnections: 20 }, pooler },
      'The pooler may open 20 connections, but only 14 connections (17 usable - 3 headroom) are available. Lower default_pool_size and reserve_pool_size to 14 together, or raise max_connections to 26.',
    ],
    [
      'a pooler that admits too few',
      { instances: 60, pooler: { ...pooler, maxClients: 50 } },
      '60 instances cannot share 50 clients of the pooler. Run at most 50 instances, or raise max_client_conn to 60.',
    ],
    [
      'a pooler in session mode with too few servers',
      { instances: 30, pooler: { ...pooler, mode: 'session' } },
      '30 instances cannot share 20 connections (87 connections (97 usable - 10 headroom), 20 servers and 1000 clients of the pooler). Run at most 20 instances, or raise default_pool_size to 30.',
    ],
  ])('given %s, says which numbers to change', (_, input, message) => {
    const error = refusalOf(() => planBudget({ capacity: server, instances: 1, ...input }))

    expect(error.message).toContain(message)
  })
})

function refusalOf(run: () => unknown): BudgetError {
  try {
    run()
  } catch (error) {
    if (error instanceof BudgetError) return error
    throw error
  }
  throw new Error('it fits')
}
