import fc from 'fast-check'
import type { FuzzTarget } from '../fuzz-target.ts'
import { type GuardScenario, guardScenarios } from './guard-events.ts'
import { GuardWorld } from './guard-world.ts'

/** A guard loads its code when it is used first. The simulation does not wait for that, so this first run may fail. */
const WARM_UP: GuardScenario = { seed: 0, events: [[0, { type: 'join', max: undefined, min: 2 }]] }

export const guardTarget: FuzzTarget = {
  name: 'guard',
  claim:
    'pools with discovery and a fleet, over a simulated server: within the budget, no late caller, shares after the faults, an end without sessions',
  loadsLater: true,
  cases: 12,
  matrixCases: 4_000,
  async prepare() {
    await new GuardWorld(WARM_UP).run().catch(() => {})
    const counts = { steps: 0, 'callers served': 0, 'callers rejected': 0, 'connections at most': 0 }
    const property = fc.asyncProperty(guardScenarios, async (scenario) => {
      const world = new GuardWorld(scenario)
      try {
        await world.run()
      } finally {
        counts.steps += world.counts.steps
        counts['callers served'] += world.counts.served
        counts['callers rejected'] += world.counts.rejected
        counts['connections at most'] = Math.max(counts['connections at most'], world.counts.most)
      }
    })
    return { property, counts }
  },
}
