import type { Lease } from '@poolguard/core/adapter'
import { expect, test } from 'vitest'
import type { SqliteConnection } from '../connection/sqlite-connection.ts'
import { isQuick, ReadGate } from './read-gate.ts'

const HOUR = 3_600_000

test('an open gate holds no read', () => {
  const gate = new ReadGate()
  gate.started(heldLease(), HOUR)
  expect(gate.holds(undefined)).toBe(false)
  expect(gate.holds(2 * HOUR)).toBe(false)
})

test('a closed gate holds the reads that would outlast the reads under way, until it opens', async () => {
  const gate = new ReadGate()
  gate.started(heldLease(), HOUR)
  gate.started(heldLease(), undefined)
  gate.close()
  expect(gate.holds(HOUR / 2)).toBe(false)
  expect(gate.holds(2 * HOUR)).toBe(true)
  expect(gate.holds(undefined)).toBe(true)

  const { opened } = gate
  gate.open()
  await opened
  expect(gate.holds(undefined)).toBe(false)
})

test.each<[millis: number | undefined, held: boolean]>([
  [10, false],
  [undefined, false],
  [Infinity, true],
])('a read of %s ms is held by its caller: %s', (millis, held) => {
  const gate = new ReadGate()
  gate.started(heldLease(), HOUR)
  gate.started(heldLease(), millis)
  expect(gate.isHeldByCaller).toBe(held)
  gate.close()
  expect(gate.holds(2 * HOUR)).toBe(true)
  expect(gate.holds(Infinity)).toBe(true)
})

test('reads that have ended are forgotten', () => {
  const gate = new ReadGate()
  const lease = heldLease()
  gate.started(lease, HOUR)
  expect(gate.underWay).toEqual([lease])

  lease.active = false
  gate.close()
  expect(gate.underWay).toEqual([])
  expect(gate.holds(10)).toBe(true)
})

test.each<[millis: number | undefined, quick: boolean]>([
  [0.1, true],
  [1, false],
  [undefined, false],
])('a read of %s ms is quick: %s', (millis, quick) => {
  expect(isQuick(millis)).toBe(quick)
})

function heldLease(): Lease<SqliteConnection> & { active: boolean } {
  return { active: true } as Lease<SqliteConnection> & { active: boolean }
}
