import { guardScenarios } from './guard-events.ts'
import { GuardWorld } from './guard-world.ts'
import { simulatedTarget } from './simulated-target.ts'

export const guardTarget = simulatedTarget({
  name: 'guard',
  claim:
    'pools with discovery and a fleet, over a simulated server: within the budget, no late caller, no statement that hangs or that is given up although it runs, shares after the faults, an end without sessions; and within their ceiling, whatever a hostile server or pooler answers',
  loadsLater: true,
  cases: 12,
  matrixCases: 4_000,
  scenarios: guardScenarios,
  World: GuardWorld,
  sums: { steps: 'steps', served: 'callers served', rejected: 'callers rejected', failed: 'statements failed' },
  maxima: { most: 'connections at most', deceived: 'allowed to a pool that was lied to' },
  // A guard loads them when it is used first, and simulated time does not wait for a file.
  loaded: () =>
    Promise.all([
      import('../../../packages/core/src/guard/guarded-connections.ts'),
      import('../../../packages/core/src/guard/fleet/fleet-membership.ts'),
    ]),
})
