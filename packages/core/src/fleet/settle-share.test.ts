import { describe, expect, test } from 'vitest'
import type { Capacity } from '../budget/index.ts'
import { publishStatement, readServerSessions } from './fleet-query.ts'
import { type ActivityRow, viewServer } from './fleet-view.ts'
import { type Standing, settleShare } from './settle-share.ts'

const capacity: Capacity = {
  maxConnections: 40,
  reserved: 3,
  roleLimit: null,
  databaseLimit: null,
  used: 0,
  usedByRole: 0,
  usedByDatabase: 0,
}

function row(name: string, count: number, more: Partial<ActivityRow> = {}): ActivityRow {
  return { name, count, ownRole: true, ownDatabase: true, readable: true, ...more }
}

const self: Standing = {
  name: 'orders#mememe',
  demand: 99,
  floor: 1,
  held: 1,
  target: 1,
  young: false,
  headroom: undefined,
}

function settle(rows: ActivityRow[], standing: Partial<Standing> = {}, limits: Partial<Capacity> = {}) {
  return settleShare(viewServer({ capacity: { ...capacity, ...limits }, rows }), { ...self, ...standing })
}

describe('the view of a server', () => {
  test('given connections of an instance, then they are one instance, and the latest publication counts', () => {
    const rows = [
      row('orders#aaaaaa', 2),
      row('orders#aaaaaa:t=8,d=9,n=4', 1),
      row('orders#aaaaaa:t=3,d=2,n=5', 1),
      row('psql', 2),
    ]
    const [server] = viewServer({ capacity, rows }).limits
    expect(server).toMatchObject({ label: 'max_connections leaves', usable: 37, others: 2 })
    expect(server?.members).toEqual([
      {
        name: 'orders#aaaaaa',
        ownRole: true,
        ownDatabase: true,
        open: 4,
        publication: { target: 3, demand: 2, floor: 1, sequence: 5 },
        claim: 4,
      },
    ])
  })

  test.each<[what: string, rows: ActivityRow[], claim: number]>([
    ['without a publication: its open connections', [row('orders#aaaaaa', 3)], 3],
    ['that may open more: its published maximum', [row('orders#aaaaaa:t=8,d=9,n=4', 2)], 8],
    [
      'of another role: its published maximum, because parallel workers may be included in the count',
      [row('orders#aaaaaa:t=2,d=9,n=4', 9, { readable: false })],
      2,
    ],
    ['of another role without a publication: its open connections', [row('orders#aaaaaa', 3, { readable: false })], 3],
  ])('counts for an instance %s', (_, rows, claim) => {
    expect(viewServer({ capacity, rows }).limits[0]?.members.map((member) => member.claim)).toEqual([claim])
  })

  test('given limits of the role and of the database, then each has its own instances and other connections', () => {
    const rows = [
      row('orders#aaaaaa:t=4,d=4,n=1', 4),
      row('bills#bbbbbb:t=5,d=5,n=1', 5, { ownRole: false }),
      row('psql', 1, { ownDatabase: false }),
      row('cron', 2, { ownRole: false, ownDatabase: false }),
    ]
    const { limits } = viewServer({ capacity: { ...capacity, roleLimit: 20, databaseLimit: 30 }, rows })
    expect(limits.map(({ label, usable, members, others }) => [label, usable, members.length, others])).toEqual([
      ['max_connections leaves', 37, 2, 3],
      ["the role's CONNECTION LIMIT is", 20, 1, 1],
      ["the database's CONNECTION LIMIT is", 30, 2, 0],
    ])
  })

  test.each([null, undefined, '', '{"capacity":null,"rows":[]}', '{"capacity":{},"rows":null}'])(
    'without limits (%j) is undefined',
    (answer) => {
      expect(readServerSessions(answer)).toBeUndefined()
    },
  )

  test('publishes no text that needs quoting', () => {
    expect(publishStatement('a#b:t=1,d=2,n=3')).toContain("'a#b:t=1,d=2,n=3'")
    expect(() => publishStatement("a', 'b")).toThrow('never published')
  })
})

describe('the share of an instance', () => {
  test('given no other instance, then it is the whole budget, with the calculation', () => {
    expect(settle([row('orders#mememe', 1), row('psql', 2)])).toEqual({
      maxConnections: 31,
      entitlement: 31,
      free: 31,
      instances: 1,
      sharedConnections: 31,
      contended: true,
      steps: [
        'max_connections leaves 37 usable - 4 headroom - 2 used by others = 31 to share',
        '1 instance wants 99: 31 for this one',
      ],
    })
  })

  test('given other instances hold everything, then it waits for its entitlement', () => {
    const {
      maxConnections: target,
      entitlement,
      steps,
    } = settle([row('orders#aaaaaa:t=33,d=99,n=1', 33), row('orders#mememe', 1)])
    expect([target, entitlement]).toEqual([1, 16])
    expect(steps.at(-1)).toBe('1 until other instances have given connections back')
  })

  test.each([99, 6])(
    'given a connection beyond its max, which asks for more of %d, then the max does not grow by it',
    (demand) => {
      const share = settle([row('orders#aaaaaa:t=28,d=99,n=1', 28)], { target: 5, held: 6, demand })
      expect(share.free).toBe(5)
      expect(share.maxConnections).toBe(5)
      expect(share.entitlement).toBeGreaterThan(5)
    },
  )

  test('given it has just joined, then it leaves half of the free connections to other new instances', () => {
    expect(settle([row('orders#mememe', 1)], { young: true })).toMatchObject({ maxConnections: 17, entitlement: 33 })
    expect(settle([row('orders#mememe', 17)], { young: true, held: 17, target: 17 }).maxConnections).toBe(25)
  })

  test('given other instances have joined, then it shrinks immediately', () => {
    const rows = [row('orders#aaaaaa:t=1,d=99,n=1', 1), row('orders#mememe:t=33,d=99,n=9', 33)]
    expect(settle(rows, { held: 33, target: 33 }).maxConnections).toBe(16)
  })

  test('given its demand shrinks, then it keeps open connections as long as no other instance needs them', () => {
    const has = { demand: 2, held: 20, target: 20 }
    expect(settle([row('orders#mememe:t=20,d=20,n=1', 20)], has).maxConnections).toBe(20)
    expect(
      settle([row('orders#mememe:t=20,d=20,n=1', 20), row('orders#aaaaaa:t=3,d=17,n=1', 3)], has).maxConnections,
    ).toBe(16)
    expect(
      settle([row('orders#mememe:t=20,d=20,n=1', 20), row('orders#aaaaaa:t=3,d=99,n=1', 3)], has).maxConnections,
    ).toBe(2)
  })

  test('given the role has the tightest limit, then the instances share that limit', () => {
    const rows = [row('orders#mememe', 1), row('bills#bbbbbb:t=5,d=5,n=1', 5, { ownRole: false })]
    const { maxConnections: target, instances: members, steps } = settle(rows, {}, { roleLimit: 10 })
    expect([target, members]).toEqual([7, 1])
    expect(steps[0]).toBe("the role's CONNECTION LIMIT is 10 usable - 3 headroom - 0 used by others = 7 to share")
  })

  test('given open connections beyond its entitlement that it may keep, then the calculation says why', () => {
    const { entitlement, steps } = settle([row('orders#mememe:t=20,d=20,n=1', 20)], { demand: 2, held: 20, target: 20 })
    expect(entitlement).toBe(2)
    expect(steps.at(-1)).toBe('20, because no other instance needs the open connections')
  })

  test('given a pooler that serves few at the same time, then the calculation says so', () => {
    const view = viewServer({ capacity, rows: [row('orders#mememe', 1)] })
    expect(settleShare({ ...view, servedAtOnce: 5 }, { ...self, demand: 5 }).steps.at(-1)).toBe(
      'the pooler serves no more than 5 of these at the same time',
    )
    expect(settleShare({ ...view, servedAtOnce: 6 }, { ...self, demand: 5 }).steps).toHaveLength(2)
  })

  test('given clients with its own name, then they count as used by others', () => {
    expect(settle([row('orders#mememe', 5)], { held: 2 }).steps[0]).toContain('- 3 used by others = 30 to share')
  })

  test('given another client has renamed its connections, then they count as foreign, and it keeps its first one', () => {
    expect(settle([row('psql', 36)], { held: 36 }).maxConnections).toBe(1)
  })

  test('given connections that only look like an instance, then the share does not rely on getting them back', () => {
    const { entitlement, maxConnections: target } = settle([row('worker#web001', 20), row('orders#mememe', 1)])
    expect([entitlement, target]).toEqual([13, 13])
  })

  test('given a headroom, then it applies', () => {
    expect(settle([row('orders#mememe', 1)], { headroom: 0 }).maxConnections).toBe(37)
  })
})
