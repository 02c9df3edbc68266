import pg from 'pg'
import { expect, test } from 'vitest'
import { guardPoolClass } from './index.ts'

test('guardPoolClass returns a guarded class unchanged', () => {
  const GuardedPool = guardPoolClass(pg.Pool)
  expect(guardPoolClass(pg.Pool)).toBe(GuardedPool)
  expect(guardPoolClass(GuardedPool as unknown as typeof pg.Pool)).toBe(GuardedPool)
})
