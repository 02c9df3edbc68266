import { describe, expect, test } from 'vitest'
import { lintStatement } from './lint-statement.ts'
import type { StatementFinding } from './statement-finding.ts'
import { SILENT } from './testing/silent-texts.ts'
import { SPEAKING } from './testing/speaking-texts.ts'

function describeFindings(findings: readonly StatementFinding[]): string[] {
  return findings.map(({ code, construct }) => `${code}: ${construct}`)
}

describe('constructs that depend on the session are reported', () => {
  test.each(SPEAKING.map(([text, ...found]) => ({ text, found })))('$text', ({ text, found }) => {
    expect(describeFindings(lintStatement(text))).toEqual(found)
  })
})

describe('other constructs are not reported', () => {
  test.each(SILENT)('%j', (text) => {
    expect(lintStatement(text)).toEqual([])
  })
})

describe('a finding', () => {
  test.each([
    "SET app.a = 's3cret'",
    'SET ROLE s3cret',
    "SET TIME ZONE 's3cret'",
    'SET "s3cret = S3CRET!" TO 1',
    'RESET "s3cret = S3CRET!"',
    'SET SESSION AUTHORIZATION "s3cret"',
    "SELECT set_config('s3cret', 's3cret', false)",
    'LISTEN s3cret',
    "PREPARE s3cret AS SELECT 's3cret'",
    'EXECUTE s3cret',
    "SELECT pg_advisory_lock(hashtext('s3cret'))",
    'DECLARE s3cret CURSOR WITH HOLD FOR SELECT 1',
    'CREATE TEMP TABLE s3cret (a int)',
    'CREATE TABLE pg_temp.s3cret (a int)',
    'SELECT 1 INTO TEMP s3cret',
    "LOAD 's3cret'",
  ])('contains neither values nor names: %s', (text) => {
    const findings = lintStatement(text)

    expect(findings).toHaveLength(1)
    expect(JSON.stringify(findings)).not.toMatch(/s3cret/i)
  })

  test('says why and what to do instead', () => {
    for (const [text] of SPEAKING) {
      for (const { why, instead } of lintStatement(text)) {
        expect(why).toMatch(/^[A-Z].*\.$/)
        expect(instead).toMatch(/^\w.*\.$/)
      }
    }
  })

  test('names the transaction-level function for each session-level lock', () => {
    const [lock] = lintStatement('select pg_try_advisory_lock_shared(1)')
    expect(lock?.instead).toMatch(/^pg_try_advisory_xact_lock_shared inside the transaction/)
  })

  test('is frozen, and so is the array', () => {
    const findings = lintStatement('LISTEN a; SET b = 1')
    expect([findings, ...findings].every(Object.isFrozen)).toBe(true)
    expect(Object.isFrozen(lintStatement('SELECT 1'))).toBe(true)
  })
})

describe('given a limit on the characters to read', () => {
  test.each<[text: string, characters: number, found: string[]]>([
    ['LISTEN a; SET b = 1', 10, ['listen: LISTEN']],
    ['LISTEN a', 6, []],
    ['SET LOCAL a = 1', 7, []],
    ['CREATE TEMP TABLE t (a int) ON COMMIT DROP', 30, []],
    ['CREATE TEMP TABLE t (a int); SELECT 1', 30, ['temporary-table: CREATE TEMPORARY TABLE']],
    ["PREPARE transaction 'a'", 20, []],
    ['SELECT a INTO temp FROM b', 19, []],
    ['RESET a .b', 8, []],
  ])('%j up to %i', (text, characters, found) => {
    expect(describeFindings(lintStatement(text, characters))).toEqual(found)
  })
})

describe('deeply nested texts', () => {
  test.each([
    '(',
    '[',
    'SELECT (',
    'SET SESSION ',
    'EXPLAIN ANALYZE ',
    'EXPLAIN (',
    'CREATE TEMP ',
    'a.',
    "set_config('a', ",
    'SELECT set_config(1, ',
  ])('%j a hundred thousand times is read to its end', (unit) => {
    for (const before of ['', 'SELECT ', 'SET ', 'EXPLAIN ']) {
      expect(() => lintStatement(before + unit.repeat(100_000))).not.toThrow()
    }
  })
})
