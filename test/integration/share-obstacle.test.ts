import { shareObstacle } from '@poolguard/core/connection'
import fc from 'fast-check'
import { loadModule, parseSync } from 'libpg-query'
import { beforeAll, describe, expect, test } from 'vitest'
import { startPostgres } from '../harness/index.ts'
import { isFullMatrix } from '../matrix.ts'

beforeAll(() => loadModule())

type Node = Readonly<Record<string, unknown>>

/** Why a statement is more than a read, according to PostgreSQL's own parser; undefined for a read, and for what it rejects. */
function obstacleByParser(text: string): string | undefined {
  let statements: readonly unknown[]
  try {
    statements = parseSync(text).stmts ?? []
  } catch {
    return undefined
  }
  if (statements.length !== 1) return `${statements.length} statements`
  const { stmt: statement } = statements[0] as { readonly stmt: Node }
  if (!('SelectStmt' in statement)) return Object.keys(statement)[0]
  return findObstacle(statement)
}

const WRITES = ['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'IntoClause', 'LockingClause']

function findObstacle(node: unknown): string | undefined {
  if (typeof node !== 'object' || node === null) return undefined
  for (const [name, child] of Object.entries(node)) {
    if (WRITES.includes(name) || name === 'intoClause' || name === 'lockingClause') return name
    if (name === 'FuncCall') {
      const called = (child as { readonly funcname: readonly { readonly String: { readonly sval: string } }[] })
        .funcname
      const names = called.map(({ String: { sval } }) => sval)
      if (!isKnown(names)) return `calls ${names.join('.')}`
    }
    const found = findObstacle(child)
    if (found !== undefined) return found
  }
  return undefined
}

/** The functions that these texts may call; what the parser makes of syntax, such as `extract`, is in pg_catalog. */
const KNOWN = ['lower', 'count', 'coalesce', 'now', 'jsonb_agg', 'array_agg', 'sum']
const SYNTAX = [
  'extract',
  'substring',
  'overlay',
  'position',
  'btrim',
  'timezone',
  'like_escape',
  'normalize',
  'pg_collation_for',
]

function isKnown(names: readonly string[]): boolean {
  const [first = '', second] = names
  if (second === undefined) return KNOWN.includes(first)
  return names.length === 2 && first === 'pg_catalog' && [...KNOWN, ...SYNTAX].includes(second)
}

/** Parts of statements, good and bad, in any order. */
// biome-ignore format: a table
const PARTS = [
  'select', '*', '1', 'from', 't', 'where', 'a', '=', '$1', '(', ')', ',', ';', 'with', 'x', 'as', 'recursive', 'materialized', 'not',
  'insert into t values (1)', 'update t set a = 1', 'delete from t', 'returning a', 'for update', 'for share', 'for no key update',
  'for key share', 'into u', 'union all', 'values (1)', 'table t', 'lower(a)', 'count(*)', 'f(a)', 's.f(a)', '"lower"(a)', '"f"(a)',
  'pg_catalog.lower(a)', 'nextval(a)', 'pg_sleep(1)', 'filter (where a)', 'over (partition by (a))', 'filter(a)', 'over(a)', 'join(a)',
  'like(a)', 'distinct on (a)', 'distinct', 'all', 'join', 'left join', 'lateral', 'on (a)', 'using (a)', 'like', "'b'", "e'\\''", '$$;$$',
  '--', '\n', '/*', '*/', 'coalesce(a)', 'case when', 'then', 'else', 'end', 'in (1)', 'exists (select 1)', 'array[1]', 'any(a)',
  'operator(pg_catalog.+)', 'treat(a as f)', 'cast(a as numeric(1, 2))', '::numeric(1, 2)', 'extract(year from a)', 'x(a)', 'order by (a)',
  'group by (a)', 'limit (1)', 'and', 'or', 'is', 'null', 'ilike', 'similar(a)', 'rows', 'merge into t using u on true when matched then delete',
  'begin', 'set a = 1', 'explain', 'call f(a)', 'position(a in b)', 'trim(both from a)', 'substring(a from 1)', 'overlay(a placing b from 1)',
  'as t(a)', 't.f', '(t).f', 'within group (order by a)', 'grouping(a)', 'row(a)', 'U&"f"(a)', 'current_date', 'tablesample f(1)',
]

const texts = fc.array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 14 }).map((parts) => parts.join(' '))
/** More of these are valid: a query with parts in the places where they may be. */
const queries = fc
  .tuple(
    fc.array(fc.constantFrom(...PARTS), { maxLength: 3 }),
    fc.array(fc.constantFrom(...PARTS), { maxLength: 3 }),
    texts,
  )
  .map(([results, from, rest]) => `select ${results.join(' ')} a from t ${from.join(' ')} where a ${rest}`)
const expressions = fc
  .tuple(fc.constantFrom(...PARTS), fc.constantFrom(...PARTS), fc.constantFrom(...PARTS), fc.constantFrom(...PARTS))
  .map(([first, second, third, fourth]) => `select ${first} ${second} ${third} ${fourth}`)

describe('shareObstacle', () => {
  test("given any text, then it never calls a statement a read that PostgreSQL's parser shows to be more", () => {
    let reads = 0
    fc.assert(
      fc.property(fc.oneof(texts, queries, expressions), (text) => {
        if (shareObstacle(text, 'reads') !== undefined) return
        reads++
        expect(obstacleByParser(text), text).toBeUndefined()
      }),
      { numRuns: isFullMatrix ? 200_000 : 20_000 },
    )
    expect(reads).toBeGreaterThan(1_000)
  }, 120_000)

  test('given each version of PostgreSQL, then every function that may be called only reads', async () => {
    for (const version of [15, 18] as const) {
      await using server = await startPostgres({ version })
      const rows = await server.query<{ name: string; volatile: boolean }>(
        `select proname as name, bool_or(provolatile = 'v') as volatile from pg_proc
         where pronamespace = 'pg_catalog'::regnamespace group by proname`,
      )
      const volatile = rows.filter(
        (row) => row.volatile && shareObstacle(`select ${row.name}(a)`, 'reads') === undefined,
      )
      expect(volatile.map(({ name }) => name).sort()).toEqual(['clock_timestamp', 'gen_random_uuid'])
      const asColumn = rows.filter(
        (row) =>
          row.volatile &&
          /^(?:nextval|setval|currval|set_config|setseed|lo_|pg_(?:advisory|sleep|notify|terminate|cancel))/.test(
            row.name,
          ),
      )
      expect(asColumn.length).toBeGreaterThan(20)
      for (const { name } of asColumn.filter(({ name: each }) => !['setval', 'set_config'].includes(each)))
        expect(shareObstacle(`select x.${name} from x`, 'reads'), name).toBe(`it may call ${name}`)
    }
  })
})
