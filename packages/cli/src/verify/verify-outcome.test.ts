import { expect, test } from 'vitest'
import { attempt, type Check, CheckFailed, skipped } from './check.ts'
import { verifyOutcome } from './verify-outcome.ts'

const passed: Check = { name: 'query', status: 'passed', detail: 'answered' }
const failed: Check = { name: 'concurrency', status: 'failed', detail: '3 of 50 failed' }

test.each<[given: string, checks: readonly Check[], exitCode: number, verdict: string]>([
  ['only passed checks', [passed], 0, 'All checks passed.'],
  ['a skipped check', [passed, skipped('direct URL', 'not set')], 0, 'All checks passed.'],
  ['a failure', [passed, failed], 1, '1 of 2 checks failed.'],
])('given %s, ends with %j', (_, checks, exitCode, verdict) => {
  const outcome = verifyOutcome(checks)

  expect(outcome.exitCode).toBe(exitCode)
  expect(outcome.text).toContain(verdict)
  expect(outcome.text.split('\n')).toHaveLength(checks.length + 2)
  expect(outcome.json).toMatchObject({ passed: exitCode === 0, checks })
})

test.each<[error: unknown, detail: string]>([
  [new CheckFailed('Two server connections.'), 'Two server connections.'],
  [new AggregateError([new Error('connect ECONNREFUSED ::1:5432'), new Error('...')]), 'connect ECONNREFUSED ::1:5432'],
  [new Error('postgres://app:s3cret@db refused'), 'postgres://app:s3cret@db refused'],
])('a check that throws %s fails', async (error, detail) => {
  expect(await attempt('query', () => Promise.reject(error))).toEqual({ name: 'query', status: 'failed', detail })
})
