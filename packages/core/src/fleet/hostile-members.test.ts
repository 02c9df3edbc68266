import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PGBOUNCER_CONSOLE } from '../topology/index.ts'
import { type ActivityRow, viewServer } from './fleet-view.ts'
import { pooledName } from './pooled-name.ts'
import { settleShare } from './settle-share.ts'
import { type ShareRequest, shareOut, sum } from './share-out.ts'
import { SimulatedFleet } from './testing/simulated-fleet.ts'
import type { ServerSession } from './testing/simulated-server.ts'

/** 33 connections to share. */
const SMALL = { usable: 37, seed: 7 }
const BUDGET = 33
/** Unused claims count for three intervals, and claims far above the shares for six; three more until all instances have exchanged again. */
const PATIENCE = 6 + 3

const FIGURES = [0, 1, 5, 33, 34, 9_999]
const figure = fc.oneof(fc.constantFrom(...FIGURES), fc.nat(9_999))
const hostile = fc.record({ t: figure, d: figure, m: figure, n: fc.constantFrom('0', '1', 'zz', 'zzzzz', 'u9ldd') })

function nameOf(id: string, { t, d, m, n }: { t: number; d: number; m: number; n: string }): string {
  return `x#${id}:t=${t},d=${d},m=${m},n=${n}`
}

describe('the share of an instance', () => {
  test('is no smaller, whatever demand another instance publishes, than with one that requests everything', () => {
    const request = fc.record({ floor: fc.integer({ min: 1, max: 4 }), demand: fc.nat(60) })
    fc.assert(
      fc.property(fc.nat(200), fc.array(request, { maxLength: 20 }), figure, (budget, real, demand) => {
        const share = (attacker: ShareRequest) => shareOut(budget, [...real, attacker]).slice(0, -1)
        const [shares, ordinary] = [share({ floor: 1, demand }), share({ floor: 1, demand: 9_999 })]
        for (const [i, least] of ordinary.entries()) expect(shares[i]).toBeGreaterThanOrEqual(least)
      }),
    )
  })

  test('is no smaller, whatever other instances publish, than with instances that request everything and have grown by half', () => {
    const real = fc.array(fc.record({ open: fc.integer({ min: 1, max: 4 }), demand: fc.nat(40) }), { maxLength: 6 })
    const attackers = fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), hostile), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(real, attackers, fc.integer({ min: 1, max: 40 }), (others, attacks, demand) => {
        const known = others.map(({ open, demand: d }, i) => row(`a#00000${i}:t=${open},d=${d},n=1`, open))
        const attack = attacks.map(([open, figures], i) => row(nameOf(`00000${i}`, figures), open))
        const { entitlement } = settle([...known, ...attack], demand)
        const grown = shareOut(BUDGET, [
          ...others.map(({ demand: d }) => ({ floor: 1, demand: d })),
          { floor: 1, demand },
          ...attacks.map(([open]) => ({ floor: Math.ceil(1.5 * open), demand: 9_999 })),
        ])
        expect(entitlement).toBeGreaterThanOrEqual(Math.min(demand, (grown[others.length] as number) - 1))
      }),
    )
  })

  test('is no larger, whatever other instances publish, than their open connections allow', () => {
    const attackers = fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), hostile), { maxLength: 6 })
    fc.assert(
      fc.property(attackers, fc.integer({ min: 1, max: 40 }), (attacks, held) => {
        const attack = attacks.map(([open, figures], i) => row(nameOf(`00000${i}`, figures), open))
        const { maxConnections: target } = settle(attack, 99, held)
        expect(target).toBeLessThanOrEqual(Math.max(held, BUDGET - sum(attacks.map(([open]) => open))))
      }),
    )
  })

  test('is no smaller for connections under its own name than for connections of no instance', () => {
    fc.assert(
      fc.property(hostile, fc.nat(10), (figures, more) => {
        const { t, d, m, n } = figures
        const own = settle([row('a#mememe:t=4,d=99,n=1', 4), row(`a#mememe:t=${t},d=${d},m=${m},n=${n}`, more)], 99, 4)
        expect(own).toEqual(settle([row('a#mememe:t=4,d=99,n=1', 4), row('psql', more)], 99, 4))
      }),
    )
  })
})

function row(name: string, count: number, more: Partial<ActivityRow> = {}): ActivityRow {
  return { name, count, ownRole: true, ownDatabase: true, readable: true, ...more }
}

function settle(rows: ActivityRow[], demand: number, held = 1) {
  const limits = { maxConnections: 40, reserved: 3, roleLimit: null, databaseLimit: null }
  const capacity = { ...limits, used: 0, usedByRole: 0, usedByDatabase: 0 }
  const self = { name: 'a#mememe', demand, floor: 1, held, target: held, young: false, headroom: undefined }
  return settleShare(viewServer({ capacity, rows }), self)
}

test('given a trusted role that publishes less than it holds, then its connections count, except those that may be parallel workers', () => {
  const limits = { maxConnections: 40, reserved: 3, roleLimit: null, databaseLimit: null }
  const capacity = { ...limits, used: 0, usedByRole: 0, usedByDatabase: 0 }
  const rows = [row('bills#aaaaaa:t=0,d=0,n=1', 25, { ownRole: false, readable: false })]
  const [limit] = viewServer({ capacity, rows, parallelWorkers: 8 }).limits
  expect(limit?.members.map(({ claim }) => claim)).toEqual([17])
})

/** Four instances of one role that request everything, and trust no other role. */
async function fleetOfFour(): Promise<SimulatedFleet> {
  const fleet = new SimulatedFleet(SMALL)
  for (let i = 0; i < 4; i++) fleet.join({ want: 100, trustedRoles: [] })
  await fleet.intervals(3)
  expect(fleet.instances.map(({ max }) => max).toSorted()).toEqual([8, 8, 8, 9])
  return fleet
}

function connect(fleet: SimulatedFleet, name: string, where: { role?: string; database?: string } = {}): ServerSession {
  const session = fleet.server.connect(name, () => {}, where)
  if (!session) throw new Error('the server is full')
  return session
}

function haves(fleet: SimulatedFleet): number {
  return sum(fleet.instances.map(({ openNow }) => openNow))
}

/** Advances the clock; meanwhile no instance gets less than `least`, and all instances together have no more than available. */
async function endure(
  fleet: SimulatedFleet,
  intervals: number,
  least: number,
  instances = fleet.instances,
): Promise<void> {
  await fleet.intervals(intervals, () => {
    expect(Math.min(...instances.map(({ max }) => max))).toBeGreaterThanOrEqual(least)
    expect(fleet.claims).toBeLessThanOrEqual(BUDGET)
    expect(fleet.server.sessions.size).toBeLessThanOrEqual(37)
  })
}

const EXTREMES = [0, 1, 9_999]
const NAMES = EXTREMES.flatMap((t) =>
  [...EXTREMES, 12].flatMap((d) => EXTREMES.map((m) => nameOf('aaaaaa', { t, d, m, n: '1' }))),
)

describe('given a foreign role in another database', () => {
  test.each(['x#aaaaaa:t=1,d=1,m=9999,n=1', 'x#aaaaaa:t=9999,d=9999,n=1', 'app#000000:t=0,d=0,n=zzzz', 'app#000001'])(
    'that names a connection %s, then it only counts as one connection in use',
    async (name) => {
      const fleet = await fleetOfFour()
      connect(fleet, name, { role: 'evil', database: 'evil' })
      await endure(fleet, 2, 8)
      expect(fleet.instances.map(({ max }) => max)).toEqual([8, 8, 8, 8])
      expect(fleet.instances.map(({ ignored }) => ignored > 0)).toEqual([true, true, true, true])
      expect(fleet.instances.flatMap(({ doubts }) => doubts)).toEqual([])
    },
  )
})

describe("given a connection of the fleet's own role", () => {
  test('that claims any number, then the other instances never have less than with one more equal instance, and finally everything that it does not use', async () => {
    for (const name of NAMES) {
      const fleet = await fleetOfFour()
      connect(fleet, name)
      await endure(fleet, PATIENCE, Math.floor(BUDGET / 5))
      expect(haves(fleet), name).toBeGreaterThanOrEqual(BUDGET - 2)
    }
  })

  test('that is open before the fleet, then the fleet still grows', async () => {
    for (const name of NAMES.filter((_, i) => i % 7 === 0)) {
      const fleet = new SimulatedFleet(SMALL)
      connect(fleet, name)
      for (let i = 0; i < 4; i++) fleet.join({ want: 100, trustedRoles: [] })
      await fleet.intervals(PATIENCE + 2)
      expect(haves(fleet), name).toBeGreaterThanOrEqual(BUDGET - 2)
    }
  })

  test('that changes its name again and again, then it gets no more than an equal instance', async () => {
    const fleet = await fleetOfFour()
    const attacker = connect(fleet, '')
    const first = [...fleet.instances]
    for (let i = 0; i < 40; i++) {
      const m = i % 2 === 0 ? 9_999 : 1
      attacker.name = nameOf(i.toString(36).padStart(6, 'a'), { t: 9_999, d: 9_999, m, n: '1' })
      await endure(fleet, 0.4, Math.floor(BUDGET / (i > 20 ? 6 : 5)), first)
      // A new instance has its share, too.
      if (i === 20) fleet.join({ want: 100, trustedRoles: [] })
    }
    expect(Math.min(...fleet.instances.map(({ openNow }) => openNow))).toBeGreaterThanOrEqual(Math.floor(BUDGET / 6))
  })

  test('that uses the name of an instance, then that instance keeps its share, and warns', async () => {
    for (const [t, d, m, n] of [
      [0, 0, 1, '1zz'],
      [9_999, 9_999, 9_999, '1zz'],
      [1, 1, 1, 'e9ldd'],
    ] as const) {
      const fleet = await fleetOfFour()
      const [victim] = fleet.instances
      const name = nameOf('aaaaaa', { t, d, m, n }).replace('x#aaaaaa', victim?.name as string)
      connect(fleet, name)
      await fleet.intervals(PATIENCE)
      expect(fleet.claims, name).toBeLessThanOrEqual(BUDGET)
      expect(
        fleet.instances.map(({ openNow }) => openNow),
        name,
      ).toEqual([8, 8, 8, 8])
      expect(victim?.doubts.map(({ kind }) => kind)).toContain('impersonated')
    }
  })
})

describe('given many connections that each claim to be an instance', () => {
  test.each<[figures: { t: number; d: number; m: number; n: string }]>([
    [{ t: 9_999, d: 9_999, m: 9_999, n: '1' }],
    [{ t: 1, d: 9_999, m: 1, n: '1' }],
    [{ t: 3, d: 3, m: 3, n: '1' }],
    [{ t: 1, d: 1, m: 9_999, n: '1' }],
  ])('as %o, then each gets no more than an equal instance, and finally only its open connections', async (figures) => {
    const fleet = await fleetOfFour()
    const many = 4
    for (let i = 0; i < many; i++) connect(fleet, nameOf(`aaaaa${i}`, figures))
    await endure(fleet, PATIENCE, Math.floor(BUDGET / (4 + many)))
    expect(haves(fleet)).toBeGreaterThanOrEqual(BUDGET - many - 1)
    expect(fleet.instances[0]?.doubts.length).toBeGreaterThan(0)
  })

  test('and publish new figures all the time, then they get further trials, with growing delays', async () => {
    const fleet = await fleetOfFour()
    const many = Array.from({ length: 4 }, () => connect(fleet, ''))
    let low = 0
    for (let i = 0; i < 400; i++) {
      for (const [k, each] of many.entries()) {
        each.name = nameOf(`aaaaa${k}`, { t: 1, d: 9_999, m: 1, n: i.toString(36) })
      }
      await endure(fleet, 0.5, Math.floor(BUDGET / 8))
      if (haves(fleet) < BUDGET - 6) low++
    }
    expect(low).toBeLessThan(400 * 0.3)
  })
})

test.each([
  [20, 't=9999,d=9999,n=1'],
  [20, 't=0,d=0,n=1'],
  [12, 't=1,d=9999,m=9999,n=1'],
])(
  'given an instance that has opened %i connections under %s, more than its share, then the headroom stays free in addition',
  async (many, figures) => {
    const fleet = new SimulatedFleet(SMALL)
    const [first] = Array.from({ length: 4 }, () => fleet.join({ want: 2, trustedRoles: [] }))
    await fleet.intervals(3)
    for (let i = 0; i < many; i++) connect(fleet, `x#aaaaaa:${figures}`)
    for (const each of fleet.instances) each.load(100)
    await fleet.intervals(PATIENCE + 2, () => expect(fleet.server.sessions.size).toBeLessThanOrEqual(37))
    expect(haves(fleet)).toBeLessThanOrEqual(BUDGET - many)
    expect(haves(fleet)).toBeGreaterThanOrEqual(BUDGET - many - 1)
    expect(first?.openNow).toBeGreaterThanOrEqual(Math.floor((BUDGET - many) / 4))
  },
)

test('given an instance that grows beyond its share while the other instances hold everything else, then they free the headroom', async () => {
  const fleet = await fleetOfFour()
  // Each takes the slot that the last one has freed.
  for (let i = 0; i < 14; i++) {
    connect(fleet, 'x#aaaaaa:t=9999,d=9999,n=1')
    await fleet.intervals(2)
  }
  await fleet.intervals(PATIENCE)
  expect(haves(fleet)).toBeLessThanOrEqual(BUDGET - 14)
})

test('given connections of its own role that claim any number, change it, open and close, then no instance has less than an equal one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 31 }), async (seed) => {
      const fleet = new SimulatedFleet({ ...SMALL, seed })
      for (let i = 0; i < 3; i++) fleet.join({ want: 100, trustedRoles: [] })
      await fleet.intervals(3)
      const attackers: ServerSession[] = []
      const pick = <T>(values: readonly T[]) => values[Math.floor(fleet.random() * values.length)] as T
      for (let step = 0; step < 30; step++) {
        if (attackers.length < 3 && fleet.random() < 0.5) attackers.push(connect(fleet, ''))
        else if (fleet.random() < 0.1) fleet.server.end(attackers.pop() as ServerSession)
        for (const each of attackers) {
          const [t, d, m] = [pick(FIGURES), pick(FIGURES), pick(FIGURES)]
          const id = `aaaaa${Math.floor(fleet.random() * 5)}`
          if (fleet.random() < 0.5) each.name = nameOf(id, { t, d, m, n: step.toString(36) })
        }
        await endure(fleet, fleet.random(), Math.floor(BUDGET / 6))
      }
    }),
    { seed: 5, numRuns: 40 },
  )
})

describe('behind PgBouncer, given clients that are named like instances', () => {
  const published = (id: string) => nameOf(id, { t: 9_999, d: 9_999, m: 9_999, n: '1' })
  const attack = (fleet: SimulatedFleet, id: string, how: string, role: string) => {
    if (how !== 'a console only') connect(fleet, pooledName(`x#${id}`), { role })
    if (how !== 'a client only') connect(fleet, published(id), { role, database: PGBOUNCER_CONSOLE })
  }

  test.each(['a client only', 'a console only', 'both'])(
    'with %s, then the instances finally get the connections that these clients do not use',
    async (how) => {
      for (const role of ['app', 'evil']) {
        const fleet = new SimulatedFleet({ usable: 80, seed: 2 })
        for (let i = 0; i < 3; i++) fleet.join({ want: 100, pooled: true, trustedRoles: [] })
        await fleet.intervals(4)
        // 8 headroom, and three consoles.
        expect(haves(fleet)).toBe(69)
        for (let i = 0; i < 3; i++) attack(fleet, `aaaaa${i}`, how, role)
        await fleet.intervals(PATIENCE, () => {
          expect(Math.min(...fleet.instances.map(({ max }) => max))).toBeGreaterThanOrEqual(Math.floor(63 / 6))
          expect(fleet.server.sessions.size).toBeLessThanOrEqual(80)
        })
        const used = how === 'both' ? 6 : 3
        expect(haves(fleet), role).toBeGreaterThanOrEqual(69 - used - 1)
      }
    },
  )

  test('like the instance itself, then the instance uses its own connections', async () => {
    const fleet = new SimulatedFleet({ usable: 80, seed: 2 })
    const victim = fleet.join({ want: 100, pooled: true, trustedRoles: [] })
    connect(fleet, pooledName(victim.name), { role: 'evil', database: 'evil' })
    connect(fleet, pooledName(victim.name), { database: 'evil' })
    connect(fleet, `${victim.name}:t=0,d=0,n=1zz`, { role: 'evil', database: PGBOUNCER_CONSOLE })
    await fleet.intervals(3)
    expect(victim.openNow).toBe(80 - 8 - 3 - 1)
  })
})

describe('given a trusted role', () => {
  test('then its instances share, and its connections under the name of an instance of another role count as in use', async () => {
    const fleet = new SimulatedFleet(SMALL)
    fleet.join({ want: 100, role: 'orders', trustedRoles: ['bills'] })
    fleet.join({ want: 100, role: 'bills', trustedRoles: ['orders'] })
    await fleet.intervals(3)
    expect(fleet.instances.map(({ openNow }) => openNow).toSorted()).toEqual([16, 17])
    connect(fleet, `${fleet.instances[0]?.name}:t=0,d=0,n=zzz`, { role: 'bills' })
    await fleet.intervals(2)
    expect(fleet.instances[0]?.openNow).toBe(16)
  })

  test('by one side only, then neither overshoots', async () => {
    const fleet = new SimulatedFleet(SMALL)
    fleet.join({ want: 100, role: 'orders', trustedRoles: ['bills'] })
    fleet.join({ want: 100, role: 'bills', trustedRoles: [] })
    await fleet.intervals(8, () => expect(fleet.server.sessions.size).toBeLessThanOrEqual(37))
    expect(haves(fleet)).toBeGreaterThanOrEqual(BUDGET - 1)
  })
})

test('given real instances that join and leave, then none is doubted for long', async () => {
  const fleet = new SimulatedFleet({ usable: 60, seed: 3 })
  for (let step = 0; step < 60; step++) {
    const one = fleet.instances[Math.floor(fleet.random() * fleet.instances.length)]
    if (!one || (fleet.random() < 0.3 && fleet.instances.length < 20)) fleet.join({ want: 10 })
    else if (fleet.random() < 0.2) fleet.crash(one)
    else one.load(Math.floor(fleet.random() ** 2 * 40))
    await fleet.intervals(fleet.random(), () => expect(fleet.claims).toBeLessThanOrEqual(fleet.budget))
  }
  expect(fleet.instances.flatMap(({ doubts }) => doubts)).toEqual([])
})
