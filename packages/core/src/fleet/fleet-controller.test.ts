import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../pool/testing/manual-clock.ts'
import { FleetController, type FleetPort } from './fleet-controller.ts'
import { type FleetView, viewServer } from './fleet-view.ts'
import { sum } from './share-out.ts'
import { SimulatedFleet } from './testing/simulated-fleet.ts'

/** The cost of an exchange grows with their number, and so does the number of exchanges. */
const MANY = process.env.POOLGUARD_MATRIX === 'full' ? 4_000 : 400

/** max_connections 40 - 3 reserved - 4 headroom. */
const SMALL = { usable: 37, seed: 1 }

describe('a simulated fleet', () => {
  test('given one instance that requests everything, then it has the whole budget', async () => {
    const fleet = new SimulatedFleet(SMALL)
    const only = fleet.join({ want: 100 })
    await fleet.intervals(2)
    expect([only.max, only.openNow]).toEqual([33, 33])
  })

  test('given it grows from 1 to 16 under load, then each has its share within two intervals, and no connection is rejected', async () => {
    const fleet = new SimulatedFleet(SMALL)
    fleet.join({ want: 100 })
    await fleet.intervals(3)
    for (let i = 1; i < 16; i++) {
      fleet.join({ want: 100 })
      await fleet.clock.advance(1_000, () => expect(fleet.server.sessions.size).toBeLessThanOrEqual(37))
    }
    await fleet.intervals(2)
    expect(fleet.instances.map(({ max }) => max)).toEqual(fleet.dueShares)
    expect(fleet.instances.map(({ openNow }) => openNow)).toEqual(fleet.dueShares)
    expect(sum(fleet.dueShares)).toBe(33)
    expect(fleet.server.rejected).toBe(0)
  })

  test('given more new instances than the headroom admits, then the rejected ones retry', async () => {
    const fleet = new SimulatedFleet(SMALL)
    fleet.join({ want: 100 })
    await fleet.intervals(1)
    for (let i = 1; i < 16; i++) fleet.join({ want: 100 })
    await fleet.intervals(2)
    expect(fleet.server.rejected).toBeGreaterThan(0)
    expect(fleet.instances.map(({ max }) => max)).toEqual(fleet.dueShares)
  })

  test.each([3, 50, 150])(
    'given ten join at the same time behind PgBouncer and a trip takes %i ms, then it never has more clients than it admits',
    async (tripMillis) => {
      for (let seed = 1; seed <= 20; seed++) {
        const fleet = new SimulatedFleet({ usable: 40, seed })
        let most = 0
        const note = () => {
          most = Math.max(most, fleet.server.sessions.size)
        }
        for (let i = 0; i < 10; i++) {
          fleet.join({ want: 20, pooled: true, tripMillis })
          await fleet.clock.advance(tripMillis * fleet.random(), note)
        }
        await fleet.intervals(8, note)
        expect(most, `seed ${seed}`).toBeLessThanOrEqual(40)
        expect(fleet.server.rejected).toBe(0)
        // 4 headroom, a console for each instance, and consoles that are being replaced.
        const open = sum(fleet.instances.map(({ openNow }) => openNow))
        expect(open).toBeGreaterThanOrEqual(20)
        expect(open).toBeLessThanOrEqual(26)
      }
    },
  )

  test('given instances crash, then the other instances have its share within two intervals', async () => {
    const fleet = new SimulatedFleet(SMALL)
    for (let i = 0; i < 16; i++) fleet.join({ want: 100 })
    await fleet.intervals(3)
    for (const instance of fleet.instances.slice(3, 8)) fleet.crash(instance)
    await fleet.intervals(2)
    expect(fleet.instances).toHaveLength(11)
    expect(fleet.instances.map(({ openNow }) => openNow)).toEqual(fleet.dueShares)
  })

  test('given one has little demand, then the other borrows the rest, and gives it back on demand', async () => {
    const fleet = new SimulatedFleet(SMALL)
    const [busy, calm] = [fleet.join({ want: 100 }), fleet.join({ want: 2 })]
    await fleet.intervals(2)
    expect([busy.openNow, calm.openNow]).toEqual([31, 2])
    calm.load(100)
    await fleet.intervals(1.5)
    expect([busy.openNow, calm.openNow]).toEqual([17, 16])
    busy.load(3)
    await fleet.intervals(2)
    expect([busy.max, calm.openNow]).toEqual([3, 30])
  })

  test('given a load that comes and goes within an interval, then shares do not change', async () => {
    const fleet = new SimulatedFleet(SMALL)
    const [swinging] = [fleet.join({ want: 100 }), fleet.join({ want: 100 })]
    await fleet.intervals(3)
    const seen = new Set<string>()
    for (let i = 0; i < 20; i++) {
      swinging.load(i % 2 === 0 ? 1 : 100)
      await fleet.intervals(0.45, () => seen.add(fleet.instances.map(({ max }) => max).join()))
    }
    expect([...seen]).toEqual(['17,16'])
  })

  test('given no other instance needs them, then idle connections stay open', async () => {
    const fleet = new SimulatedFleet(SMALL)
    const [calm, other] = [fleet.join({ want: 20 }), fleet.join({ want: 2 })]
    await fleet.intervals(2)
    calm.load(1)
    await fleet.intervals(3)
    expect(calm.openNow).toBe(20)
    other.load(25)
    await fleet.intervals(1.5)
    expect([calm.openNow, other.openNow]).toEqual([8, 25])
  })

  test('given a caller needs more than the instance has published, then it exchanges immediately', async () => {
    const fleet = new SimulatedFleet(SMALL)
    const instance = fleet.join({ want: 1 })
    await fleet.intervals(4)
    instance.load(5)
    await fleet.clock.advance(100)
    expect(instance.openNow).toBe(5)
  })

  test('given an instance holds and needs no more than its floor, then it does not exchange', async () => {
    const fleet = new SimulatedFleet(SMALL)
    const instance = fleet.join({ want: 12 })
    await fleet.intervals(2)
    instance.load(0)
    await fleet.intervals(14)
    const { exchanges } = instance
    await fleet.intervals(10)
    expect(instance.exchanges).toBe(exchanges)
  })

  test('given an instance has lost its last connection, then it has left the fleet, and its max is 1 until it joins again', async () => {
    const fleet = new SimulatedFleet(SMALL)
    const instance = fleet.join({ want: 12 })
    await fleet.intervals(2)
    instance.load(0)
    for (const session of [...fleet.server.sessions]) fleet.server.end(session)
    expect([instance.max, instance.controller.share]).toEqual([1, undefined])
    instance.load(12)
    await fleet.intervals(0.5)
    expect(instance.openNow).toBe(12)
  })

  test('given the connection that carries the publication is lost, then the instance opens none until another one carries it', async () => {
    const fleet = new SimulatedFleet(SMALL)
    const instance = fleet.join({ want: 12 })
    await fleet.intervals(2)
    instance.losePublisher()
    expect([instance.max, instance.openNow, instance.controller.published]).toEqual([11, 11, undefined])
    await fleet.intervals(0.5)
    expect([instance.max, instance.openNow]).toEqual([12, 12])
  })

  test('given a floor and a ceiling, then they apply, and the other instances share the rest', async () => {
    const fleet = new SimulatedFleet(SMALL)
    const kept = fleet.join({ want: 0, min: 20 })
    const capped = fleet.join({ want: 100, max: 3 })
    const free = fleet.join({ want: 100 })
    await fleet.intervals(3)
    expect([kept.openNow, capped.openNow, free.openNow]).toEqual([20, 3, 10])
  })

  test('given connections of no instance, then the fleet leaves them free', async () => {
    const fleet = new SimulatedFleet(SMALL)
    const instances = [fleet.join({ want: 100 }), fleet.join({ want: 100 })]
    await fleet.intervals(2)
    const unmanaged = ['psql', 'cron', 'cron'].map((name) => fleet.server.connect(name))
    expect(unmanaged).not.toContain(undefined)
    await fleet.intervals(2)
    expect(instances.map(({ openNow }) => openNow)).toEqual([15, 15])
  })

  test('given two fleets in one database, then they share like one fleet', async () => {
    const fleet = new SimulatedFleet(SMALL)
    const [a, b] = [
      fleet.join({ want: 100, app: 'orders', role: 'o' }),
      fleet.join({ want: 100, app: 'bills', role: 'b' }),
    ]
    await fleet.intervals(3, () => expect(fleet.server.sessions.size).toBeLessThanOrEqual(34))
    expect(a.openNow + b.openNow).toBe(33)
    expect(Math.abs(a.openNow - b.openNow)).toBe(1)
  })

  test('given a process freezes, with or without the lock, then the other instances continue, and its connections remain counted', async () => {
    const fleet = new SimulatedFleet(SMALL)
    const [frozen, first, second] = [1, 2, 3].map(() => fleet.join({ want: 100 }))
    await fleet.intervals(2)
    expect(fleet.instances.map(({ openNow }) => openNow)).toEqual([11, 11, 11])
    frozen?.freeze()
    first?.load(2)
    await fleet.intervals(2)
    expect([frozen?.openNow, second?.openNow], 'the rest of its entitlement stays free for it').toEqual([11, 15])
    frozen?.thaw()
    await fleet.intervals(2)
    expect(frozen?.openNow).toBe(16)
  })

  test('given a process was frozen for so long that another has its share, then it opens no connection before it has exchanged', async () => {
    const fleet = new SimulatedFleet(SMALL)
    const frozen = fleet.join({ want: 30 })
    frozen.load(0)
    await fleet.intervals(1)
    frozen.freeze()
    const other = fleet.join({ want: 100 })
    await fleet.intervals(4)
    expect([frozen.max, frozen.openNow, other.openNow]).toEqual([30, 1, 32])
    frozen.thaw()
    expect(frozen.max).toBe(1)
    await fleet.intervals(2, () => expect(fleet.claims).toBeLessThanOrEqual(fleet.budget))
  })

  test('given an instance is suspended before it has opened its connections, then it counts on its claim no longer than the other instances', async () => {
    for (const intervals of [0.5, 1, 1.5, 2, 2.5, 3, 4, 6]) {
      const fleet = new SimulatedFleet(SMALL)
      const [late, other] = [fleet.join({ want: 1 }), fleet.join({ want: 2 })]
      await fleet.intervals(3)
      late.load(28)
      while (late.max === 1) await fleet.clock.advance(1)
      late.freeze()
      other.load(100)
      const most = () => expect(fleet.claims, `suspended for ${intervals} intervals`).toBeLessThanOrEqual(fleet.budget)
      await fleet.intervals(intervals, most)
      late.thaw()
      await fleet.intervals(4, most)
      expect([late.openNow, other.openNow].toSorted()).toEqual([16, 17])
    }
  })

  test('given all connections were lost while an instance was suspended, then it opens no other one before it has exchanged', async () => {
    const fleet = new SimulatedFleet(SMALL)
    const [suspended, other] = [fleet.join({ want: 100 }), fleet.join({ want: 100 })]
    await fleet.intervals(3)
    // The next publication is not on the first connection that it finds lost.
    suspended.losePublisher()
    await fleet.intervals(0.2)
    suspended.freeze()
    for (const session of [...fleet.server.sessions]) fleet.server.end(session)
    await fleet.intervals(0.2)
    suspended.thaw()
    expect(suspended.max).toBe(1)
    await fleet.intervals(3, () => expect(fleet.claims).toBeLessThanOrEqual(fleet.budget))
    expect([suspended.openNow, other.openNow].toSorted()).toEqual([16, 17])
  })

  test('given 200 instances under a changing load, then none is doubted', async () => {
    const fleet = new SimulatedFleet({ usable: 500, seed: 4 })
    for (let i = 0; i < 200; i++) fleet.join({ want: Math.floor(fleet.random() * 8), tripMillis: 0.5 })
    for (let step = 0; step < 150; step++) {
      fleet.instances[Math.floor(fleet.random() * 200)]?.load(Math.floor(fleet.random() * 8))
      await fleet.intervals(0.05)
    }
    expect(fleet.claims).toBeLessThanOrEqual(fleet.budget)
    expect(fleet.instances.flatMap(({ doubts }) => doubts)).toEqual([])
  })

  test(`given ${MANY} instances, then each has its share, and the server is never full`, async () => {
    const fleet = new SimulatedFleet({ usable: MANY * 2.5, seed: 4 })
    for (let i = 0; i < MANY; i++) {
      fleet.join({ want: Math.floor(fleet.random() * 8), tripMillis: 0.5 })
      if (i % 20 === 0) await fleet.clock.advance(25)
    }
    await fleet.intervals(2)
    const due = fleet.dueShares
    expect(fleet.instances.filter(({ max }, i) => max < (due[i] as number)).length).toBe(0)
    expect(fleet.claims).toBeLessThanOrEqual(fleet.budget)
    expect(fleet.server.rejected).toBe(0)
  }, 600_000)

  test('given instances join, leave, crash, freeze and change, then no step overshoots, and after two intervals all have their share', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 31 }), async (seed) => {
        const fleet = new SimulatedFleet({ usable: 60, seed })
        const frozen = new Set<(typeof fleet.instances)[number]>()
        const most = () => {
          expect(fleet.claims).toBeLessThanOrEqual(fleet.budget)
          expect(fleet.server.sessions.size).toBeLessThanOrEqual(60)
        }
        const pick = () => fleet.instances[Math.floor(fleet.random() * fleet.instances.length)]
        const want = () => Math.floor(fleet.random() ** 2 * 40)
        // The view of another role shows less.
        const role = () => (fleet.random() < 0.5 ? 'orders' : 'bills')
        for (let step = 0; step < 40; step++) {
          const dice = fleet.random()
          const one = pick()
          if (!one || (dice < 0.3 && fleet.instances.length < 25)) fleet.join({ want: want(), role: role() })
          else if (dice < 0.4) fleet.crash(one)
          else if (dice < 0.6) one.load(want())
          else if (dice < 0.7) one.losePublisher()
          else if (dice < 0.8 && !frozen.has(one)) frozen.add(one) && one.freeze()
          else if (dice < 0.9) {
            for (const each of frozen) each.thaw()
            frozen.clear()
          }
          await fleet.intervals(fleet.random(), most)
        }
        for (const each of frozen) each.thaw()
        await fleet.intervals(2, most)
        const due = fleet.dueShares
        const short = fleet.instances.filter(({ max, want }, i) => want > 0 && max < (due[i] as number))
        expect(short.map(({ name, max, openNow, want }) => ({ name, max, openNow, want }))).toEqual([])
      }),
      { seed: 11, numRuns: 60 },
    )
  })
})

/** A controller with the pool and server that a test defines. */
function makeController(port: Partial<FleetPort>): { controller: FleetController; clock: ManualClock } {
  const clock = new ManualClock()
  const controller = new FleetController({
    member: 'orders#3f9a1b',
    intervalMillis: 5_000,
    headroom: undefined,
    clock,
    random: () => 0.5,
    port: {
      demand: () => 1,
      held: () => 1,
      open: () => 1,
      opened: () => 1,
      bounds: () => ({ min: 0, max: Infinity }),
      exchange: async () => {},
      applyShare: () => {},
      onExchangeFailed: () => {},
      ...port,
    },
  })
  return { controller, clock }
}

/** The view of one connection of each name, on a server with 37 usable. */
function viewOf(...names: string[]): FleetView {
  const limits = { maxConnections: 40, reserved: 3, roleLimit: null, databaseLimit: null }
  return viewServer({
    capacity: { ...limits, used: 1, usedByRole: 1, usedByDatabase: 1 },
    rows: names.map((name) => ({ name, count: 1, ownRole: true, ownDatabase: true, readable: true })),
  })
}

test('given its share shrinks, then it applies that before it publishes it', async () => {
  const history: string[] = []
  let view = viewOf('orders#3f9a1b')
  let demand = 20
  const { controller, clock } = makeController({
    demand: () => demand,
    exchange: async (decide) => void history.push(decide(view)),
    applyShare: (max) => history.push(`at most ${max}`),
  })
  await controller.join()
  expect(history).toEqual(['orders#3f9a1b:t=17,d=20,n=1', 'at most 17'])
  view = viewOf('orders#3f9a1b:t=17,d=20,n=1', 'orders#ffffff:t=1,d=99,n=1')
  demand = 2
  history.length = 0
  await clock.advance(15_000)
  const published = history.findIndex((each) => each.startsWith('orders#3f9a1b:t=2,d=2'))
  expect(history[published - 1]).toBe('at most 2')
})

test('given the user lowers the ceiling, then no exchange exceeds it', async () => {
  const urgencies: boolean[] = []
  let max = Infinity
  const { controller, clock } = makeController({
    demand: () => 40,
    bounds: () => ({ min: 0, max }),
    async exchange(decide, { urgent }) {
      urgencies.push(urgent)
      decide(viewOf('orders#3f9a1b'))
    },
  })
  await controller.join()
  expect(controller.share).toMatchObject({ maxConnections: 17, entitlement: 33 })
  max = 3
  controller.onResize()
  await clock.advance(1_000)
  expect(urgencies).toEqual([true, false])
})

test('given a pooler with few server connections, then the instance neither requests nor gets more', async () => {
  const names: string[] = []
  const { controller, clock } = makeController({
    demand: () => 40,
    exchange: async (decide) => void names.push(decide({ ...viewOf('orders#3f9a1b'), servedAtOnce: 5 })),
  })
  await controller.join()
  await clock.advance(10_000)
  expect(names.map((name) => name.replace(/,n=.*/, ''))).toContain('orders#3f9a1b:t=5,d=5')
  expect(controller.share).toMatchObject({ maxConnections: 5, entitlement: 5 })
})

test('given callers arrive during an exchange, then another exchange follows', async () => {
  let demand = 1
  const exchanges: number[] = []
  const { controller, clock } = makeController({
    demand: () => demand,
    async exchange(decide) {
      decide(viewOf('orders#3f9a1b'))
      exchanges.push(clock.now())
      if (exchanges.length > 1) return
      for (let i = 0; i < 3; i++, demand++) controller.onAcquire()
    },
  })
  await controller.join()
  await clock.advance(200)
  expect(exchanges).toHaveLength(2)
  expect(controller.published).toMatchObject({ target: 4, demand: 4 })
})

test('given connections that it has published cannot be opened, then it gives them up within two intervals, and publishes that', async () => {
  const names: string[] = []
  let opened = 1
  const maxima: number[] = []
  const { controller, clock } = makeController({
    demand: () => 20,
    opened: () => opened,
    exchange: async (decide) => void names.push(decide(viewOf('orders#3f9a1b'))),
    applyShare: (max) => maxima.push(max),
  })
  await controller.join()
  expect(maxima).toEqual([17])
  await clock.advance(9_000)
  expect(maxima.at(-1)).toBeGreaterThan(1)
  await clock.advance(1_500)
  expect(maxima.at(-1)).toBe(1)
  expect(names.at(-1)).toMatch(/^orders#3f9a1b:t=1,/)
  await clock.advance(5_000)
  expect(maxima.at(-1), 'and requests them again').toBeGreaterThan(1)
  opened = 2
})

test('given the process was suspended, then it gives its unused connections up before the next caller is served', async () => {
  const maxima: number[] = []
  const { controller, clock } = makeController({
    demand: () => 20,
    exchange: async (decide) => void decide(viewOf('orders#3f9a1b')),
    applyShare: (max) => maxima.push(max),
  })
  await controller.join()
  clock.skip(10_001)
  controller.onAcquire()
  expect(maxima).toEqual([17, 1])
})

test('given the process was suspended while it published, then it does not count on a publication that is old when it hears of it', async () => {
  const maxima: number[] = []
  const { controller, clock } = makeController({
    demand: () => 20,
    async exchange(decide) {
      decide(viewOf('orders#3f9a1b'))
      clock.skip(10_001)
    },
    applyShare: (max) => maxima.push(max),
  })
  await controller.join()
  expect(maxima).toEqual([1])
})

test('given it has lost its publication and cannot open a connection, then it limits itself to those that others see', async () => {
  let [held, opened] = [5, 5]
  const maxima: number[] = []
  const { controller } = makeController({
    demand: () => 20,
    held: () => held,
    opened: () => opened,
    exchange: async (decide) => void decide(viewOf('orders#3f9a1b')),
    applyShare: (max) => maxima.push(max),
  })
  await controller.join()
  opened = 3
  controller.onPublisherLost()
  expect(maxima.at(-1), 'without those that are being opened').toBe(3)
  ;[held, opened] = [2, 2]
  controller.onOpenFailed({ isFull: false })
  expect(maxima.at(-1)).toBe(2)
  ;[held, opened] = [0, 0]
  controller.onOpenFailed({ isFull: false })
  expect(maxima.at(-1)).toBe(1)
})

test('given no callers and no connections, then no timer is active', async () => {
  let demand = 1
  const { controller, clock } = makeController({
    demand: () => demand,
    held: () => 0,
    open: () => 0,
    exchange: () => Promise.reject(new Error('the server is away')),
  })
  await controller.join()
  controller.onAcquire()
  demand = 0
  await clock.advance(20_000)
  expect(clock.timers).toBe(0)
})
