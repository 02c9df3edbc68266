import { pipelineScenarios } from './pipeline-events.ts'
import { PipelineWorld } from './pipeline-world.ts'
import { simulatedTarget } from './simulated-target.ts'

export const pipelineTarget = simulatedTarget({
  name: 'pipeline',
  claim:
    'statements that share connections over a simulated wire get their own answers, whatever fails, and none is lost',
  cases: 200,
  matrixCases: 10_000,
  scenarios: pipelineScenarios,
  World: PipelineWorld,
  sums: {
    steps: 'steps',
    answered: 'statements answered',
    rejected: 'statements rejected',
    behind: 'statements sent behind others',
  },
})
