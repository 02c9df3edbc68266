import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { COMPATIBILITY, compatibilityDocument, type TestRun } from '../compatibility/document.ts'
import { GROUPS, type Stack } from '../compatibility/stacks.ts'
import { ROOT } from './documents.ts'
import { rowsOf } from './tables.ts'

interface Row {
  readonly group: string
  readonly stack: string
  /** As `title: file`. */
  readonly topics: readonly string[]
}

const STACKS = GROUPS.flatMap(({ stacks }) => stacks)

/** The rows that the page has to have. */
const EXPECTED: readonly Row[] = GROUPS.flatMap(({ title, stacks }) =>
  stacks.map(({ name, topics }) => ({
    group: title,
    stack: name,
    topics: topics.map((topic) => `${topic.title}: ${topic.file}`),
  })),
)

function readPage(text: string): readonly Row[] {
  return rowsOf(text).map(({ section, cells }) => ({
    group: section,
    stack: cells.Stack ?? '',
    topics: [...(cells['Passed tests'] ?? '').matchAll(/\[([^\]]+)\]\(\.\.\/test\/([^)]+)\) [1-9]/g)].map(
      ([, title, file]) => `${title}: ${file}`,
    ),
  }))
}

/** A run in which each topic has one test, with this outcome. */
function runs(state: TestRun['state'], stacks: readonly Stack[] = STACKS): readonly TestRun[] {
  return stacks.flatMap(({ project, topics }) =>
    topics.map(({ file, containing = '' }) => ({ project, file, fullName: containing, state })),
  )
}

test('the page on compatibility has every stack with its topics, and no other', () => {
  const page = join(ROOT, COMPATIBILITY)
  // Until a whole run of the tests has written it, there is none.
  if (existsSync(page)) expect(readPage(readFileSync(page, 'utf8'))).toEqual(EXPECTED)
})

test('the page that a whole run writes has them', () => {
  expect(readPage(compatibilityDocument(runs('passed'), new Date()))).toEqual(EXPECTED)
})

test.each(['failed', 'skipped'] as const)('given a test of a stack that has %s, then no page is written', (state) => {
  const [first] = STACKS
  const others = STACKS.filter((stack) => stack.project !== first?.project)
  const all = [...runs('passed', others), ...runs(state, STACKS)]
  expect(() => compatibilityDocument(all, new Date())).toThrow(`${first?.name}, ${first?.topics[0]?.title}: `)
})

test.each(STACKS)('the tests of $name exist', ({ topics }) => {
  const missing = topics.filter(({ file }) => !existsSync(join(ROOT, 'test', file)))
  expect(missing).toEqual([])
})

test('the packages of each stack are installed, and a stack without packages says where it is from', () => {
  const problems = STACKS.flatMap(({ name, packages, origin }) => {
    if (packages.length === 0) return origin === undefined ? [`${name}: no origin`] : []
    const missing = packages.filter(
      ({ name: published, alias = published, folder = '' }) =>
        !existsSync(join(ROOT, 'test', folder, 'node_modules', alias, 'package.json')),
    )
    return missing.map((each) => `${name}: ${each.name}`)
  })
  expect(problems).toEqual([])
})
