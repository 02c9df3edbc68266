import { describe, expect, test } from 'vitest'
import { PERIOD_MILLIS, periodOf } from '../adaptive/index.ts'
import { CURVES, type Curve } from '../adaptive/testing/simulated-server.ts'
import { decodeNotice } from './fleet-notice.ts'
import { FleetPart } from './fleet-part.ts'
import { type FleetView, viewServer } from './fleet-view.ts'
import { SimulatedFleet } from './testing/simulated-fleet.ts'
import type { SimulatedInstance } from './testing/simulated-instance.ts'

const TICK_MILLIS = 25
/** Not the begin of a period. */
const STARTED_AT = 1_795_000_004_321

/** Instances whose callers always wait, on a server with room for 64 connections. Their figures go through names of connections. */
class AdaptiveFleet {
  readonly fleet = new SimulatedFleet({ usable: 71, seed: 7 })
  readonly parts = new Map<SimulatedInstance, FleetPart>()
  readonly #curve: Curve

  constructor(curve: Curve) {
    this.#curve = curve
  }

  join(want = 100, app = 'app'): SimulatedInstance {
    const part = new FleetPart(9, () => STARTED_AT + this.fleet.clock.now())
    const instance = this.fleet.join({ want, app, part })
    this.parts.set(instance, part)
    return instance
  }

  inUse(instance: SimulatedInstance): number {
    return Math.min(this.parts.get(instance)?.limit ?? 0, instance.openNow, instance.want)
  }

  async run(seconds: number): Promise<void> {
    for (let millis = 0; millis < seconds * 1_000; millis += TICK_MILLIS) {
      const { instances } = this.fleet
      const used = instances.map((instance) => this.inUse(instance))
      const total = used.reduce((sum, each) => sum + each, 0)
      await this.fleet.clock.advance(TICK_MILLIS)
      for (const [i, instance] of instances.entries()) {
        const completions = total > 0 ? (this.#curve(total) * TICK_MILLIS * (used[i] as number)) / total : 0
        const saturatedMillis = instance.want > (used[i] as number) ? TICK_MILLIS : 0
        const sample = { millis: TICK_MILLIS, saturatedMillis, completions, work: completions, demand: instance.want }
        this.parts.get(instance)?.update(sample)
      }
    }
  }

  get totals(): number[] {
    return this.fleet.instances.map((instance) => this.parts.get(instance)?.total ?? 0)
  }
}

describe('the adaptive limit of a fleet', () => {
  test('is the same in all instances, near the best total, and divided equally', async () => {
    const adaptive = new AdaptiveFleet(CURVES.writes)
    for (let i = 0; i < 4; i++) adaptive.join()
    await adaptive.run(150)

    const [total = 0] = adaptive.totals
    expect(new Set(adaptive.totals)).toEqual(new Set([total]))
    expect(CURVES.writes(total)).toBeGreaterThan(3.7)
    const bases = [...adaptive.parts.values()].map(({ base }) => base)
    expect(bases.reduce((sum, base) => sum + base, 0)).toBe(total)
    expect(Math.max(...bases) - Math.min(...bases)).toBeLessThanOrEqual(1)
  })

  test('falls to one connection for each instance where more make the server slower, and none is suspected of holding others back', async () => {
    const adaptive = new AdaptiveFleet(CURVES.contendedWrites)
    for (let i = 0; i < 4; i++) adaptive.join()
    await adaptive.run(120)

    expect(adaptive.totals).toEqual([4, 4, 4, 4])
    expect(adaptive.fleet.instances.flatMap(({ doubts }) => doubts)).toEqual([])
  })

  test('instances without callers leave their part to the others', async () => {
    const adaptive = new AdaptiveFleet(CURVES.groupCommit)
    const [busy] = [adaptive.join(), adaptive.join(0), adaptive.join(0)]
    await adaptive.run(150)

    expect(CURVES.groupCommit(adaptive.inUse(busy as SimulatedInstance))).toBeGreaterThan(
      0.9 * CURVES.groupCommit(adaptive.totals[0] as number),
    )
  })

  test('counts only the instances of its own app', async () => {
    const adaptive = new AdaptiveFleet(CURVES.writes)
    for (let i = 0; i < 2; i++) adaptive.join(100, 'orders')
    adaptive.join(100, 'bills')
    await adaptive.run(30)

    expect(adaptive.parts.size).toBe(3)
    const [first, , other] = [...adaptive.parts.values()]
    expect(first?.base).toBeLessThan(first?.total as number)
    expect(other?.base).toBe(other?.total)
  })

  test('an instance that has left its fleet has no part', () => {
    const part = new FleetPart(9, () => STARTED_AT)
    part.leave()

    expect(part.limit).toBe(Infinity)
  })
})

describe('the part of one instance', () => {
  const SELF = 'app#bbbbbb'
  /** At the end of a period, when the leader decides on the next one. */
  const NOW = (periodOf(STARTED_AT) + 1) * PERIOD_MILLIS - 1
  const own = { name: SELF, demand: 50, floor: 1, sharedConnections: 90 }

  function viewOf(...names: readonly [name: string, count: number][]): FleetView {
    const capacity = { maxConnections: 100, reserved: 3, roleLimit: null, databaseLimit: 80 }
    const rows = names.map(([name, count]) => ({ name, count, ownRole: true, ownDatabase: true, readable: true }))
    return viewServer({ capacity: { ...capacity, used: 0, usedByRole: 0, usedByDatabase: 0 }, rows })
  }

  const view = viewOf(
    ['app#aaaaaa:t=5,d=40,n=1', 5],
    [`${SELF}:t=5,d=50,n=1`, 5],
    ['app#cccccc', 3],
    ['other#dddddd:t=5,d=60,n=1', 5],
  )

  function givenPart(initial = 9) {
    let now = NOW
    const part = new FleetPart(initial, () => now)
    const at = (millis: number) => {
      now = millis
    }
    return { part, at }
  }

  test('is all until it has read the figures of the others, and then divides the total with those of its app', () => {
    const { part } = givenPart(10)
    expect([part.limit, part.base, part.total]).toEqual([Infinity, Infinity, 10])
    part.read(view, own)
    // Of 10 the first gets 4: 4 + 3 + 3.
    expect([part.limit, part.base, part.total]).toEqual([3, 3, 10])
    part.read(view, { ...own, demand: 2 })
    expect(part.limit).toBe(2)
  })

  test('bounds the demand under every limit: its own, and that of each instance of its app that has published', () => {
    const { part } = givenPart()
    const { view: bounded, demand } = part.read(view, own)

    expect(demand).toBe(3)
    expect(part.read(view, { ...own, floor: 6 }).demand).toBe(6)
    expect(bounded.servedAtOnce).toBe(view.servedAtOnce)
    expect(bounded.limits.map(({ usable }) => usable)).toEqual([97, 80])
    for (const { members } of bounded.limits) {
      expect(members.map(({ name, publication }) => [name, publication?.demand, publication?.target])).toEqual([
        ['app#aaaaaa', 3, 5],
        [SELF, 3, 5],
        ['app#cccccc', undefined, undefined],
        ['other#dddddd', 60, 5],
      ])
    }
  })

  test('is not raised above what an instance wants', () => {
    const { part } = givenPart(60)
    const { view: bounded } = part.read(viewOf(['app#aaaaaa:t=2,d=2,n=1', 2], [SELF, 1]), own)
    expect(bounded.limits[0]?.members[0]?.publication?.demand).toBe(2)
  })

  test('is that of the leader if it is the first with callers that wait, who plans the next period', () => {
    const { part: follower } = givenPart()
    follower.read(view, own)
    expect(follower.notice).toBe('')

    const { part: leader } = givenPart()
    // The first one has no more callers than its floor.
    leader.read(viewOf(['app#aaaaaa:t=5,d=1,n=1', 5], [SELF, 5], ['app#cccccc:t=5,d=9,n=1', 5]), own)
    expect(decodeNotice(leader.notice, NOW).plan).toMatchObject({ period: periodOf(NOW) + 1, base: 9 })
    expect(leader.millisToExchange(0)).not.toBe(follower.millisToExchange(0))
  })

  test.each([
    [10, 97, 10],
    [undefined, 12, 12],
    [2, 97, 3],
  ])(
    'plans no more than %s connections to share, or %i usable, and one for each instance: %i',
    (sharedConnections, usable, most) => {
      const candidates = [9, 100].map((initial) => {
        const { part } = givenPart(initial)
        const [limit, ...limits] = viewOf([SELF, 5], ['app#cccccc', 3], ['app#dddddd', 3]).limits
        if (limit)
          part.read(
            { limits: [{ ...limit, usable }, ...limits], servedAtOnce: Infinity },
            { ...own, sharedConnections },
          )
        const { plan } = decodeNotice(part.notice, NOW)
        return Math.max(plan?.base ?? Infinity, plan?.candidate ?? Infinity)
      })
      expect(Math.max(...candidates)).toBe(most)
    },
  )
})
