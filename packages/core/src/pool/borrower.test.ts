import { expect, test } from 'vitest'
import { labelOf, runDetached, stackOf } from './borrower.ts'
import {
  currentLabel,
  currentLane,
  currentScope,
  runInLane,
  runWithLabel,
  withDeadlockDetection,
} from './caller-context.ts'
import { currentDeadline, runWithDeadline } from './deadline.ts'
import { givenPool } from './testing/pool-under-test.ts'

const context = () => [currentScope(), currentLabel(), currentLane(), currentDeadline()]

test("the pool's own work has no scope, label, lane and deadline, and its caller keeps them", () => {
  const { signal } = new AbortController()
  const [before, detached, after] = withDeadlockDetection(() =>
    runWithLabel('GET /', () =>
      runInLane('web', () => runWithDeadline(signal, () => [context(), runDetached(context), context()])),
    ),
  )

  expect(before).toEqual([expect.any(Object), 'GET /', 'web', { signal, expiresAt: Infinity }])
  expect(detached).toEqual([undefined, undefined, undefined, undefined])
  expect(after).toEqual(before)
})

test('a caller without a label or a captured stack has none', async () => {
  const { pool } = givenPool({ captureStacks: 'never' })
  const unknown = await pool.acquire()
  const labelled = await runWithLabel('GET /', () => pool.acquire())

  expect([labelOf(unknown.borrower), stackOf(unknown.borrower)]).toEqual([null, null])
  expect([labelOf(labelled.borrower), stackOf(labelled.borrower)]).toEqual(['GET /', null])
})
