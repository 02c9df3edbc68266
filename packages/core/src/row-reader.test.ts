import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidAnswerError } from './invalid-answer-error.ts'
import { MAX_ROWS, parseAnswer, RowReader, readNamedRows, readOneRow, readRows } from './row-reader.ts'

const SECRET = 's3cret-of-the-server'
const row = (value: unknown) => new RowReader('SHOW CONFIG', { value })

describe('a whole number', () => {
  test.each([
    [0, 0],
    [20, 20],
    ['20', 20],
    ['-0', -0],
    [20n, 20],
    [2_147_483_647, 2_147_483_647],
  ])('given %s, then it is read as %s', (value, expected) => {
    expect(row(value).integer('value')).toBe(expected)
  })

  test.each<[value: unknown, kind: string]>([
    [Number.NaN, 'a number that is not finite'],
    [Number.POSITIVE_INFINITY, 'a number that is not finite'],
    [-1, 'a number below 0'],
    ['-1', 'a number below 0'],
    [2_147_483_648, 'a number above 2147483647'],
    ['99999999999999999999', 'a number above 2147483647'],
    [10n ** 400n, 'a bigint'],
    [1.5, 'a fraction'],
    ['1.5', 'a text'],
    ['1e3', 'a text'],
    ['0x10', 'a text'],
    ['NaN', 'a text'],
    [' 5', 'a text'],
    [`5${'0'.repeat(1_000_000)}`, 'a text'],
    ['', 'an empty text'],
    [SECRET, 'a text'],
    [null, 'null'],
    [undefined, 'null'],
    [true, 'a boolean'],
    [[5], 'an array'],
    [{ valueOf: () => 5 }, 'an object'],
  ])('given %s, then the error says %s', (value, kind) => {
    expect(() => row(value).integer('value')).toThrow(
      `The answer to SHOW CONFIG is invalid: "value" is ${kind} instead of a whole number from 0 to 2147483647.`,
    )
  })

  test('given a missing column, then the error says so, also for names that every object has', () => {
    expect(() => row(1).integer('other')).toThrow('there is no column "other"')
    expect(() => row(1).text('toString')).toThrow('there is no column "toString"')
  })

  test('given null in a column that may be null, then the result is null', () => {
    expect(row(null).integerOrNull('value')).toBeNull()
    expect(() => new RowReader('SHOW CONFIG', {}).integerOrNull('value')).toThrow('there is no column "value"')
  })
})

test.each<[value: unknown, read: (row: RowReader) => unknown, expected: unknown]>([
  ['1.5', (row) => row.number('value'), 1.5],
  ['1e3', (row) => row.number('value'), 1_000],
  ['18446744073709551615', (row) => row.number('value'), 2 ** 64],
  ['-3', (row) => row.duration('value'), 0],
  ['t', (row) => row.flag('value'), true],
  [false, (row) => row.flag('value'), false],
  ['session', (row) => row.oneOf('value', ['session', 'statement']), 'session'],
  [null, (row) => row.textOrNull('value'), null],
])('given %s, then the value is correct', (value, read, expected) => {
  expect(read(row(value))).toBe(expected)
})

test.each<[value: unknown, read: (row: RowReader) => unknown]>([
  ['1e999', (row) => row.number('value')],
  ['Infinity', (row) => row.duration('value')],
  ['yes', (row) => row.flag('value')],
  [1, (row) => row.flag('value')],
  ['toString', (row) => row.oneOf('value', ['session'])],
  [5, (row) => row.text('value')],
  ['x'.repeat(65_537), (row) => row.text('value')],
])('given %s, then it is rejected', (value, read) => {
  expect(() => read(row(value))).toThrow(InvalidAnswerError)
})

test('given any value, then the number is within its range or the answer is rejected, and the error shows no value', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (value) => {
      try {
        const number = row(value).integer('value', { min: 1, max: 100 })
        expect(Number.isInteger(number) && number >= 1 && number <= 100).toBe(true)
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidAnswerError)
        expect((error as Error).message.length).toBeLessThan(300)
      }
    }),
  )
})

test('no error shows the value', () => {
  const readers = [
    () => row(SECRET).integer('value'),
    () => row(SECRET).flag('value'),
    () => row(SECRET).oneOf('value', ['a']),
    () => new RowReader('x', SECRET),
    () => readRows('x', SECRET, () => 0),
    () => parseAnswer('x', `{"password": "${SECRET}`),
  ]
  for (const read of readers)
    expect(read).toThrow(expect.not.objectContaining({ message: expect.stringContaining(SECRET) }))
})

describe('rows', () => {
  const read = (row: RowReader) => row.integer('n')

  test('given thousands, then all are read', () => {
    expect(readRows('x', Array(5_000).fill({ n: 1 }), read)).toHaveLength(5_000)
  })

  test.each<[what: string, rows: unknown]>([
    ['more rows than the maximum', Array(MAX_ROWS + 1).fill({ n: 1 })],
    ['an object instead of an array', { n: 1 }],
    ['undefined', undefined],
    ['null as a row', [null]],
  ])('given %s, then the rows are rejected', (_what, rows) => {
    expect(() => readRows('x', rows, read)).toThrow(InvalidAnswerError)
  })

  test.each([[[]], [[{ n: 1 }, { n: 2 }]]])('given %j instead of one row, then the answer is rejected', (rows) => {
    expect(() => readOneRow('x', rows, read)).toThrow(InvalidAnswerError)
  })

  test('given the same name twice, then the answer is rejected', () => {
    const rows = [
      { n: 1, name: 'a' },
      { n: 2, name: 'a' },
    ]
    expect(() => readNamedRows('x', rows, (row) => [row.text('name'), row.integer('n')])).toThrow(
      'a name appears in more than one row',
    )
  })
})
