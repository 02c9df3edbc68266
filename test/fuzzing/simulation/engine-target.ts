import { engineScenarios } from './engine-events.ts'
import { EngineWorld } from './engine-world.ts'
import { simulatedTarget } from './simulated-target.ts'

export const engineTarget = simulatedTarget({
  name: 'engine',
  claim:
    'a pool over a simulated server keeps its promises whatever fails: max, order, deadlines, no lost caller, an end',
  cases: 300,
  matrixCases: 20_000,
  scenarios: engineScenarios,
  World: EngineWorld,
  sums: { steps: 'steps', served: 'callers served', rejected: 'callers rejected', lost: 'connections lost' },
})
