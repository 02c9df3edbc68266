import { describe, expect, test } from 'vitest'
import { InvalidOptionError } from '../invalid-option-error.ts'
import { StatementLint } from './statement-lint.ts'

function constructs(lint: StatementLint, text: string): string[] {
  return lint.newFindings(text).map(({ construct }) => construct)
}

describe('StatementLint', () => {
  test('given a text with findings, then it reports them once', () => {
    const lint = new StatementLint()

    expect(constructs(lint, 'LISTEN a')).toEqual(['LISTEN'])
    expect(constructs(lint, 'LISTEN a')).toEqual([])
    expect(constructs(lint, 'LISTEN b')).toEqual(['LISTEN'])
  })

  test('given no findings, then it returns the same frozen array', () => {
    const lint = new StatementLint()
    const nothing = lint.newFindings('SELECT 1')
    lint.newFindings('LISTEN a')

    expect(nothing).toEqual([])
    expect(Object.isFrozen(nothing)).toBe(true)
    expect(lint.newFindings('SELECT 1')).toBe(nothing)
    expect(lint.newFindings('LISTEN a')).toBe(nothing)
  })

  test('given a hundred thousand texts, then its memory stays bounded', () => {
    const lint = new StatementLint({ maxTexts: 100 })
    let most = 0
    for (let index = 0; index < 100_000; index++) {
      lint.newFindings(index % 2 ? `SELECT ${index}` : `SET a = ${index}`)
      most = Math.max(most, lint.size)
    }

    expect(most).toBe(200)
  })

  test('given a flood of texts without findings, then texts with findings are still known', () => {
    const lint = new StatementLint({ maxTexts: 10 })
    lint.newFindings('LISTEN a')
    for (let index = 0; index < 1_000; index++) lint.newFindings(`SELECT ${index}`)

    expect(constructs(lint, 'LISTEN a')).toEqual([])
  })

  test('given a flood of texts with findings, then the first one is new again', () => {
    const lint = new StatementLint({ maxTexts: 10 })
    lint.newFindings('LISTEN a')
    for (let index = 0; index < 20; index++) lint.newFindings(`SET a = ${index}`)

    expect(constructs(lint, 'LISTEN a')).toEqual(['LISTEN'])
  })

  test.each([0, 1, 1.5, -1, Number.NaN, Number.POSITIVE_INFINITY])('maxTexts %s is rejected', (maxTexts) => {
    expect(() => new StatementLint({ maxTexts })).toThrow(InvalidOptionError)
  })
})

describe('StatementLint of long texts', () => {
  const values = ', (1)'.repeat(5_000)

  test('reports findings in their beginning, once', () => {
    const lint = new StatementLint()
    const text = `LISTEN a; INSERT INTO t VALUES (0)${values}`

    expect(constructs(lint, text)).toEqual(['LISTEN'])
    expect(constructs(lint, text)).toEqual([])
  })

  test('ignores the rest', () => {
    expect(constructs(new StatementLint(), `INSERT INTO t VALUES (0)${values}; LISTEN a`)).toEqual([])
  })

  test.each<[difference: string, other: string]>([
    ['beginning', `LISTEN b; INSERT INTO t VALUES (0)${values}`],
    ['end', `LISTEN a; INSERT INTO t VALUES (0)${values.slice(0, -1)}]`],
    ['length', `LISTEN a; INSERT INTO t VALUES (0)${values}, (1)`],
  ])('distinguishes them by their %s', (_, other) => {
    const lint = new StatementLint()
    lint.newFindings(`LISTEN a; INSERT INTO t VALUES (0)${values}`)

    expect(constructs(lint, other)).toEqual(['LISTEN'])
  })
})

test('everySight returns the findings of a text each time, and reads a text without findings once', () => {
  const lint = new StatementLint()
  for (let i = 0; i < 3; i++) {
    expect(lint.allFindings('SET search_path TO a')).toMatchObject([{ code: 'set' }])
    expect(lint.allFindings('SELECT 1')).toEqual([])
  }
  expect(lint.size).toBe(2)
  expect(lint.newFindings('SET search_path TO a')).toEqual([])
})
