import { describe, expect, test } from 'vitest'
import { CURVES, type Curve } from '../adaptive/testing/simulated-server.ts'
import { FleetPart } from './fleet-part.ts'
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
