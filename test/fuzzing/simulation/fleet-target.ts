import fc from 'fast-check'
import type { FuzzTarget } from '../fuzz-target.ts'
import { fleetScenarios } from './fleet-events.ts'
import { FleetWorld } from './fleet-world.ts'

export const fleetTarget: FuzzTarget = {
  name: 'fleet',
  claim:
    'a fleet over a simulated server never exceeds its budget, also with hostile members, and after the faults each instance has its share',
  // Some 700 steps each.
  cases: 150,
  matrixCases: 15_000,
  prepare() {
    const counts = { steps: 0, exchanges: 0, 'connections at most': 0 }
    const property = fc.asyncProperty(fleetScenarios, async (scenario) => {
      const world = new FleetWorld(scenario)
      try {
        await world.run()
      } finally {
        counts.steps += world.counts.steps
        counts.exchanges += world.counts.exchanges
        counts['connections at most'] = Math.max(counts['connections at most'], world.counts.most)
      }
    })
    return { property, counts }
  },
}
