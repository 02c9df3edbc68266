import { expect, test } from 'vitest'
import { expectNoLeaks } from './expect-no-leaks.ts'
import { connectionStrings, environments, pgPools, postgresJsPools, type Subject } from './subjects.ts'
import { TEXT_SHAPES } from './text-shapes.ts'

const SUBJECTS: Readonly<Record<string, Subject>> = { connectionStrings, environments, pgPools, postgresJsPools }

test('every shape has a name of its own', () => {
  expect(new Set(TEXT_SHAPES.map(({ name }) => name)).size).toBe(TEXT_SHAPES.length)
  expect(TEXT_SHAPES.length).toBeGreaterThanOrEqual(61)
})

test.each(Object.entries(SUBJECTS))('%s show no secret, whatever shape it has', async (_name, subject) => {
  await expectNoLeaks(TEXT_SHAPES, ({ text }) => subject(text))
})
