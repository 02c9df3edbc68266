import { expect, test } from 'vitest'
import { isFullMatrix } from '../matrix.ts'
import { runApart } from './run-apart.ts'
import { runTarget } from './run-target.ts'
import { TARGETS } from './targets.ts'

/** Up to a million inputs in the full matrix. */
const TIMEOUT_MILLIS = 3_600_000

test.for(TARGETS)('$name: $claim', { timeout: TIMEOUT_MILLIS }, async (target, { skip }) => {
  const cases = isFullMatrix ? target.matrixCases : target.cases
  const run = { cases, seed: 1 }
  const report = await (target.loadsLater ? runApart({ name: target.name, run }) : runTarget(target, run))
  if ('skipped' in report) return skip(report.skipped)

  expect(report.finding).toBeUndefined()
  expect(report.cases).toBe(cases)
  // Inputs that the reference rejects, or that are all alike, prove nothing.
  for (const [what, count] of Object.entries(report.counts)) expect(count, what).toBeGreaterThan(0)
})
