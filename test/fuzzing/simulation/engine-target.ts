import fc from 'fast-check'
import type { FuzzTarget } from '../fuzz-target.ts'
import { engineScenarios } from './engine-events.ts'
import { EngineWorld } from './engine-world.ts'

export const engineTarget: FuzzTarget = {
  name: 'engine',
  claim:
    'a pool over a simulated server keeps its promises whatever fails: max, order, deadlines, no lost caller, an end',
  cases: 300,
  matrixCases: 20_000,
  prepare() {
    const counts = { steps: 0, 'callers served': 0, 'callers rejected': 0, 'connections lost': 0 }
    const property = fc.asyncProperty(engineScenarios, async (scenario) => {
      const world = new EngineWorld(scenario)
      try {
        await world.run()
      } finally {
        const { steps, served, rejected, lost } = world.counts
        counts.steps += steps
        counts['callers served'] += served
        counts['callers rejected'] += rejected
        counts['connections lost'] += lost
      }
    })
    return { property, counts }
  },
}
