import { describe, expect, test } from 'vitest'
import { InvalidAnswerError } from '../invalid-answer-error.ts'
import { RowReader } from '../row-reader.ts'
import { parseCapacity, readCapacity } from './capacity.ts'
import { readLoad } from './load.ts'
import { readUsage } from './usage.ts'

const CAPACITY = {
  maxConnections: 100,
  reserved: 3,
  roleLimit: null,
  databaseLimit: 50,
  used: 9,
  usedByRole: 8,
  usedByDatabase: 7,
}
const LOAD = {
  elapsedMillis: 10_000,
  sessionMillis: 90_000.5,
  activeMillis: 12_000,
  idleInTransactionMillis: 36_000,
  transactions: 4_000,
}
const USAGE = {
  application: 'orders',
  role: 'app',
  database: 'shop',
  sameRole: true,
  sameDatabase: false,
  connections: 5,
  hidden: 0,
}

describe.each<[name: string, row: object, read: (row: RowReader) => object]>([
  ['the limits of the server', CAPACITY, readCapacity],
  ['the load of the database', LOAD, readLoad],
  ['the connections of an application', USAGE, readUsage],
])('a row about %s', (_, row, read) => {
  test('is read column by column', () => {
    expect(read(new RowReader('a query', { ...row, another: 1 }))).toEqual(row)
  })

  test.each(Object.keys(row))('without %s is rejected, and the message names the column', (column) => {
    const { [column]: _missing, ...rest } = row as Record<string, unknown>
    expect(() => read(new RowReader('a query', rest))).toThrow(InvalidAnswerError)
    expect(() => read(new RowReader('a query', rest))).toThrow(column)
  })
})

describe('the limits of the server', () => {
  test('are read from JSON, too', () => {
    expect(parseCapacity(JSON.stringify(CAPACITY))).toEqual(CAPACITY)
    expect(() => parseCapacity('no JSON')).toThrow(InvalidAnswerError)
  })

  test('that cannot be are rejected', () => {
    const read = (change: object) => () => readCapacity(new RowReader('a query', { ...CAPACITY, ...change }))
    expect(read({ reserved: 101 })).toThrow('reserved')
    expect(read({ reserved: -1 })).toThrow('reserved')
    expect(read({ roleLimit: -1 })).toThrow('roleLimit')
    expect(read({ reserved: 100 })()).toMatchObject({ reserved: 100 })
  })
})
