import { fleetScenarios } from './fleet-events.ts'
import { FleetWorld } from './fleet-world.ts'
import { simulatedTarget } from './simulated-target.ts'

export const fleetTarget = simulatedTarget({
  name: 'fleet',
  claim:
    'a fleet over a simulated server never exceeds its budget, also with hostile members, and after the faults each instance has its share',
  // Some 700 steps each.
  cases: 150,
  matrixCases: 15_000,
  scenarios: fleetScenarios,
  World: FleetWorld,
  sums: { steps: 'steps', exchanges: 'exchanges' },
  maxima: { most: 'connections at most' },
})
