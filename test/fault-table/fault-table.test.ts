import { expect, test } from 'vitest'
import { FAULTS } from './faults/index.ts'
import { CHINESE, ENGLISH } from './page-texts.ts'
import { runCell } from './run-cell.ts'
import { STACKS } from './stacks/index.ts'
import type { Verdict } from './verdict.ts'

// The whole table takes half an hour: `pnpm faults`. These cells prove that it can tell one outcome from another.
test.concurrent.each([
  ['idle-killed', 'pg.Pool', { crashes: 1 }],
  ['idle-killed', 'poolguard: pg', { crashes: 0, lostCommits: 0, hangs: 0 }],
  ['dirty-release', 'pg.Pool, advised', { crashes: 1 }],
  ['dirty-release', 'poolguard: pg', { crashes: 0, lostCommits: 0, hangs: 0 }],
])('%s on %s: %j', async (id, name, expected) => {
  expect(await run(id, name)).toMatchObject(expected)
})

test('a fault that the API of the stack does not allow has no verdict', async () => {
  expect(await run('double-release', 'Prisma')).toBe(undefined)
})

async function run(id: string, name: string): Promise<Verdict | undefined> {
  const fault = FAULTS.find((each) => each.id === id)
  const stack = STACKS.find((each) => each.name === name)
  if (!fault || !stack) throw new Error('unknown')
  return runCell(fault, stack)
}

test('faults and stacks have different names', () => {
  expect(new Set(FAULTS.map(({ id }) => id)).size).toBe(FAULTS.length)
  expect(new Set(STACKS.map(({ name }) => name)).size).toBe(STACKS.length)
  expect(FAULTS.length).toBeGreaterThanOrEqual(40)
})

test('every fault has a title in both languages', () => {
  for (const fault of FAULTS) for (const texts of [ENGLISH, CHINESE]) expect(texts.titleOf(fault)).not.toBe('')
})
