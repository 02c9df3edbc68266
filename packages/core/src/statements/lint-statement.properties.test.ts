import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lintStatement } from './lint-statement.ts'
import { isPlainQuery } from './plain-query.ts'
import type { StatementFinding } from './statement-finding.ts'
import { SILENT } from './testing/silent-texts.ts'
import { SPEAKING } from './testing/speaking-texts.ts'
import { sqlSoup } from './testing/sql-soup.ts'
import { tokensOf } from './testing/tokens-of.ts'

const sql = fc.constantFrom(...SPEAKING.map(([text]) => text), ...SILENT)
const anything = fc.oneof(sql, sqlSoup)

function constructs(findings: readonly StatementFinding[]): string[] {
  return findings.map(({ construct }) => construct)
}

const filler = fc.constantFrom(
  ' ',
  '\n',
  '\t\r\n',
  ' /* set a = 1; */ ',
  ' -- listen a; \n',
  ' /* /* */ pg_advisory_lock(1) */ ',
  ' --\n\f',
)

function inAnyCase(word: string, capitals: number): string {
  return [...word]
    .map((letter, index) => ((capitals >> (index % 16)) & 1 ? letter.toUpperCase() : letter.toLowerCase()))
    .join('')
}

test('blanks, comments and the case of words make no difference', () => {
  fc.assert(
    fc.property(sql, fc.infiniteStream(filler), fc.infiniteStream(fc.nat(0xffff)), (text, fillers, capitals) => {
      let rewritten = ''
      for (const [kind, token] of tokensOf(text)) {
        if (kind === 'blank' || kind === 'comment') continue
        // Beyond ASCII, changing the case may turn a letter into one that belongs to a keyword, or the reverse.
        const ascii = kind === 'word' && !/[^ -~]/.test(token)
        rewritten += fillers.next().value + (ascii ? inAnyCase(token, capitals.next().value ?? 0) : token)
      }
      expect(lintStatement(rewritten + fillers.next().value)).toEqual(lintStatement(text))
    }),
    { numRuns: 2_000 },
  )
})

describe('the content of these is not checked', () => {
  const wrappings: Record<string, (text: string) => string> = {
    'as a string': (text) => `SELECT '${text.replaceAll("'", "''")}'`,
    'as a string with backslashes': (text) => `SELECT E'${text.replaceAll(/['\\]/g, '\\$&')}'`,
    'as a string with Unicode escapes': (text) => `SELECT U&'${text.replaceAll("'", "''")}'`,
    'in dollars': (text) => `SELECT $q$${text.replaceAll('$q$', '')} $q$`,
    'as a DO block': (text) => `DO $q$${text.replaceAll('$q$', '')} $q$`,
    'as a body of a function': (text) => `CREATE FUNCTION f() RETURNS void AS $q$${text.replaceAll('$q$', '')} $q$`,
    'as a name': (text) => `SELECT 1 AS "${text.replaceAll('"', '""')}"`,
    'in a comment': (text) => `/* ${text.replaceAll(/[*/]+/g, ' ')} */ SELECT 1`,
    'in comments to the end of the line': (text) => `--${text.replaceAll(/[\r\n]/g, '$&--')}`,
  }

  test.each(Object.entries(wrappings))('%s', (_, wrap) => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(lintStatement(wrap(text))).toEqual([])
      }),
    )
  })
})

test('several texts joined have the findings of each of them', () => {
  fc.assert(
    fc.property(fc.array(sql), (texts) => {
      const each = new Set(texts.flatMap((text) => constructs(lintStatement(text))))
      expect(constructs(lintStatement(texts.join('\n;')))).toEqual([...each])
    }),
  )
})

test('for any text, linting does not throw, and reads to its end', () => {
  fc.assert(
    fc.property(anything, (text) => {
      for (const { construct } of lintStatement(text)) expect(construct).toMatch(/^[\w .$,()]{3,}$/)
    }),
    { numRuns: 2_000 },
  )
})

test('findings of the beginning are findings of the whole text', () => {
  fc.assert(
    fc.property(anything, fc.nat(200), (text, characters) => {
      const whole = constructs(lintStatement(text))
      expect(whole).toEqual(expect.arrayContaining(constructs(lintStatement(text, characters))))
    }),
    { numRuns: 5_000 },
  )
})

test('a plain query has no findings', () => {
  fc.assert(
    fc.property(fc.constantFrom('', 'select ', 'insert into', 'with '), anything, (before, text) => {
      const query = before + text
      fc.pre(isPlainQuery(query))
      // The semicolon forces a full read.
      expect(lintStatement(`;${query}`)).toEqual([])
    }),
    { numRuns: 2_000 },
  )
})

test.each([
  ['SELECT "a" FROM "b" WHERE "c" = $1 /* trace */', true],
  ['\n insert into a (b) values ($1) returning c', true],
  ['with a as (select 1) select * from a', true],
  ['select 1;', false],
  ['select attempts from a', false],
  ['SELECT Pg_Advisory_Lock(1)', false],
  ["select SET_CONFIG('a', 'b', false)", false],
  ['/* a */ select 1', false],
  ['selection', false],
])('%j is a plain query: %s', (text, plain) => {
  expect(isPlainQuery(text)).toBe(plain)
})
