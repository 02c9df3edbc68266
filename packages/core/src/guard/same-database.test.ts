import { expect, test } from 'vitest'
import { databaseOf, type PoolSnapshot, registerPool } from '../observe/index.ts'
import { observedPool } from '../observe/testing/observed-pool.ts'
import { warnOfSecondPool } from './same-database.ts'

function pool(target: string, name = 'app', max = 10): PoolSnapshot {
  return { name, target, stats: { max } } as PoolSnapshot
}

/** Replaces the registry of {@link registerPool}, without the pools of other tests. */
function among(pools: readonly PoolSnapshot[]): (database: string) => PoolSnapshot[] {
  return (database) => pools.filter(({ target }) => databaseOf(target) === database)
}

test.each([
  ['another database', 'postgresql://db/a1', 'postgresql://db/a2'],
  ['another port', 'postgresql://db/b', 'postgresql://db:5433/b'],
  ['another host', 'postgresql://primary/c', 'postgresql://replica/c'],
])('given %s, then does not warn', (_what, first, second) => {
  expect(warnOfSecondPool(pool(second), among([pool(first)]))).toBeUndefined()
})

test('given the same database in another spelling, then warns once, with the max of both pools', () => {
  const first = pool('postgresql://app:***@db:5432/orders?application_name=x', 'first', 10)
  const second = pool('postgres://other@db/orders', 'app', 5)
  expect(warnOfSecondPool(second, among([]))).toBeUndefined()
  expect(warnOfSecondPool(second, among([pool('postgresql://db/z'), first]))).toContain(
    'another pool of this process, "first", leads to the same database. Each pool opens its own connections, up to 10 + 5',
  )
  expect(warnOfSecondPool(second, among([first]))).toBeUndefined()
})

/** Registers pools one after the other like a guard, and counts how often the check takes their snapshots. */
function enterAll(targets: readonly string[]): number {
  let asked = 0
  const leave = targets.map((target) => {
    const entered = { ...observedPool('app').snapshot(), target }
    warnOfSecondPool(entered)
    return registerPool({
      snapshot: () => {
        asked++
        return entered
      },
    })
  })
  const count = asked
  for (const end of leave) end()
  return count
}

test.each([
  ['databases of their own', (n: number) => `postgresql://db/many${n}`],
  ['one database', () => 'postgresql://db/one'],
  ['hosts of their own', (n: number) => `postgresql://host${n}/app`],
])('given many pools with %s, then the work grows with their number, not with its square', (_what, targetOf) => {
  const targets = Array.from({ length: 1_600 }, (_, n) => targetOf(n))

  expect(enterAll(targets)).toBeLessThanOrEqual(2 * targets.length)
})

test('given a closed pool, then another pool to its database does not warn', () => {
  const target = 'postgresql://db/closed'
  const first = { ...observedPool('first').snapshot(), target }
  const close = registerPool({ snapshot: () => first })
  close()

  expect(warnOfSecondPool(pool(target, 'second'))).toBeUndefined()
})

test('given an open pool, then another pool to its database warns', () => {
  const first = { ...observedPool('first').snapshot(), target: 'postgresql://app@db:5432/open' }
  const close = registerPool({ snapshot: () => first })

  expect(warnOfSecondPool(pool('postgres://db/open', 'second'))).toContain('another pool of this process, "first"')
  close()
})
