import { expect, test } from 'vitest'
import type { PoolSnapshot } from '../observe/index.ts'
import { warnOfSecondPool } from './same-database.ts'

function pool(target: string, name = 'app', max = 10): PoolSnapshot {
  return { name, target, stats: { max } } as PoolSnapshot
}

test.each([
  ['another database', 'postgresql://db/a1', 'postgresql://db/a2'],
  ['another port', 'postgresql://db/b', 'postgresql://db:5433/b'],
  ['another host', 'postgresql://primary/c', 'postgresql://replica/c'],
])('given %s, then nothing is said', (_what, first, second) => {
  expect(warnOfSecondPool(pool(second), [pool(first)])).toBeUndefined()
})

test('given the same database in another spelling, then it is said once, with what both may open', () => {
  const first = pool('postgresql://app:***@db:5432/orders?application_name=x', 'first', 10)
  const second = pool('postgres://other@db/orders', 'app', 5)
  expect(warnOfSecondPool(second, [])).toBeUndefined()
  expect(warnOfSecondPool(second, [pool('postgresql://db/z'), first])).toContain(
    'another pool of this process, "first", leads to the same database: each brings its own connections, 10 + 5 at most',
  )
  expect(warnOfSecondPool(second, [first])).toBeUndefined()
})
