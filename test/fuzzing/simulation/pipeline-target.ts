import fc from 'fast-check'
import type { FuzzTarget } from '../fuzz-target.ts'
import { pipelineScenarios } from './pipeline-events.ts'
import { PipelineWorld } from './pipeline-world.ts'

export const pipelineTarget: FuzzTarget = {
  name: 'pipeline',
  claim:
    'statements that share connections over a simulated wire get their own answers, whatever fails, and none is lost',
  cases: 200,
  matrixCases: 10_000,
  prepare() {
    const counts = { steps: 0, 'statements answered': 0, 'statements rejected': 0, 'statements sent behind others': 0 }
    const property = fc.asyncProperty(pipelineScenarios, async (scenario) => {
      const world = new PipelineWorld(scenario)
      try {
        await world.run()
      } finally {
        const { steps, answered, rejected, behind } = world.counts
        counts.steps += steps
        counts['statements answered'] += answered
        counts['statements rejected'] += rejected
        counts['statements sent behind others'] += behind
      }
    })
    return { property, counts }
  },
}
