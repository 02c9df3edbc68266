import { describe, expect, it } from 'vitest'
import { endIdle, endSessionsOf, WHO_HOLDS } from '../../packages/cli/src/doctor/end-sessions.ts'
import { type SourceText, sourceTexts } from './source-texts.ts'
import { unqualifiedNames } from './unqualified-names.ts'

const ROOT = new URL('../../', import.meta.url)

/** What stands in for the `${...}` of a template, which may be a value, a subquery or a name. */
const FILLINGS = ['1', 'select 1 as x', 'x', '']
const MAX_HOLES = 6

/** Commands that carry names of functions, operators, types or tables; prose that begins like them does not parse. */
const COMMAND =
  /^\s*(?:\/\*.*?\*\/|--[^\n]*\n|\s)*(?:select|with|insert|update|delete|begin|set|table|values|copy|call|do|create|grant|revoke)\b/i

const PASTED = [
  WHO_HOLDS,
  endIdle({ role: 'app' }),
  endIdle({ database: 'app' }),
  endSessionsOf({ address: '127.0.0.1', ports: [40_000] }, { role: 'app' }),
]

/** SQL for SQLite, which has no schemas to put in front, and SQL that a person pastes, which sets a safe path first. */
const EXEMPT = [
  'packages/sqlite/',
  'packages/cli/src/sqlite/',
  'packages/cli/src/doctor/end-sessions.ts',
  'packages/cli/src/doctor/rules/replication-slots.ts',
]

describe("given the SQL texts of the packages' sources", () => {
  it('then every function, operator, type and table carries its schema', async () => {
    const texts = await sqlTexts()
    // Without this the test would pass when it finds nothing.

    expect(texts.length).toBeGreaterThan(35)
    const unqualified = texts.flatMap(({ source, names }) =>
      names.length > 0 ? [`${source.file}:${source.line}: ${[...new Set(names)].join(', ')}`] : [],
    )
    expect(unqualified).toEqual([])
  })
})

describe('given SQL that doctor prints for pasting', () => {
  it('then it sets a path that holds nothing but PostgreSQL before anything is looked up', async () => {
    for (const sql of PASTED) {
      expect(sql).toMatch(/^set search_path = pg_catalog; select /)
      expect(await unqualifiedNames(sql)).toBeDefined()
    }
  })
})

describe('given SQL with names that search_path resolves', () => {
  it.each([
    ['select now()', ['function now']],
    ["select 'a' || 1", ['operator ||']],
    ["select 'a'::text", ['type text']],
    ['select 1 from pg_roles', ['table pg_roles']],
    ['select 1 in (1, 2)', ['operator =']],
    ['select 1 where 1 in (select 1)', ['operator = of IN']],
    ["select 'a' like 'b'", ['operator ~~']],
    ['select 1 is distinct from 2', ['operator =']],
    ['select 1 between 0 and 2', ['operator BETWEEN']],
    ['select case 1 when 1 then 2 end', ['operator = of CASE']],
    ['with a as (select 1) select 1 from a', []],
    ["select pg_catalog.now() operator(pg_catalog.-) interval '1 s', 1::int, extract(epoch from x) from a.b", []],
  ])('then %s is found out', async (sql, names) => {
    expect(await unqualifiedNames(sql)).toEqual(names)
  })
})

async function sqlTexts(): Promise<{ source: SourceText; names: readonly string[] }[]> {
  const found: { source: SourceText; names: readonly string[] }[] = []
  for (const source of sourceTexts(ROOT)) {
    if (!COMMAND.test(source.fill(() => 'x')) || EXEMPT.some((path) => source.file.startsWith(path))) continue
    for (const fillings of combinations(source.holes)) {
      const names = await unqualifiedNames(source.fill((hole) => fillings[hole] ?? ''))
      if (!names) continue
      found.push({ source, names })
      break
    }
  }
  return found
}

function* combinations(holes: number, before: readonly string[] = []): Generator<readonly string[]> {
  if (before.length === Math.min(holes, MAX_HOLES)) yield before
  else for (const filling of FILLINGS) yield* combinations(holes, [...before, filling])
}
