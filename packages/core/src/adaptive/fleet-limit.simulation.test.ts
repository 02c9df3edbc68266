import { describe, expect, test } from 'vitest'
import { SimulatedFleet } from './testing/simulated-fleet.ts'
import { CURVES, GENERATORS } from './testing/simulated-server.ts'

const SEEDS = Array.from({ length: 8 }, (_, index) => index * 7_919 + 5)
const INSTANCES = 8
/** From here on, a fleet must have settled. */
const SETTLED_SECONDS = 90

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

describe.each(Object.entries(GENERATORS))('with the noise of a real server (%s), eight instances', (_, generator) => {
  test.each(Object.entries(CURVES))('keep 0.93 of the best fixed total after 90 s: %s', (_name, curve) => {
    const settled = SEEDS.map((seed) => {
      const fleet = new SimulatedFleet({ instances: INSTANCES, seed, generator })
      return mean(fleet.run({ curve, seconds: 240 }).slice(SETTLED_SECONDS))
    })

    expect(mean(settled)).toBeGreaterThanOrEqual(0.93)
    expect(Math.min(...settled)).toBeGreaterThanOrEqual(0.85)
  })

  test('do not grow the total on a server where more connections make no difference', () => {
    const bases = SEEDS.flatMap((seed) => {
      const fleet = new SimulatedFleet({ instances: INSTANCES, seed, generator, initial: 16, max: 256 })
      fleet.run({ curve: () => 4, seconds: 600 })
      return fleet.bases
    })

    expect(mean(bases)).toBeLessThanOrEqual(16)
  })

  test('follow a new leader if the first one crashes, and another one that joins', () => {
    const settled = SEEDS.map((seed) => {
      const fleet = new SimulatedFleet({ instances: INSTANCES, seed, generator })
      fleet.run({ curve: CURVES.groupCommit, seconds: 120 })
      fleet.crashLeader()
      fleet.run({ curve: CURVES.groupCommit, seconds: 20 })
      fleet.join(-1)
      return mean(fleet.run({ curve: CURVES.groupCommit, seconds: 120 }))
    })

    expect(mean(settled)).toBeGreaterThanOrEqual(0.93)
  })

  test('all have the same total at the end of each period', () => {
    for (const seed of SEEDS) {
      const fleet = new SimulatedFleet({ instances: INSTANCES, seed, generator })
      for (let i = 0; i < 10; i++) {
        fleet.run({ curve: CURVES.writes, seconds: 14 })
        fleet.run({ curve: CURVES.writes, seconds: 1 })
        expect(fleet.totals.size).toBe(1)
      }
    }
  })
})
