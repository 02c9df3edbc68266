import { describe, expect, test } from 'vitest'
import { PreparedText } from './prepared-text.ts'

const [INT4, INT8, TEXT, TIMESTAMP, MOOD] = [23, 20, 25, 1114, 16_500]
const BY_ID = 'select * from thing where id = $1'

function described(text: string, types: readonly number[], at = 0): PreparedText {
  const statement = new PreparedText(text)
  expect(statement.updateTypes(types, at)).toBe('known')
  return statement
}

describe('a prepared statement', () => {
  test('is not used before the server has reported its types', () => {
    const statement = new PreparedText(BY_ID)
    expect(statement.allows([1], false, 0)).toBe(false)
    expect(statement.updateTypes([INT4], 0)).toBe('known')
    expect(statement.allows([1], false, 0)).toBe(true)
  })

  test('is not used for a different number of values, and null is always safe', () => {
    const statement = described(`${BY_ID} and name = $2`, [INT4, TEXT])
    expect(statement.allows([1], false, 0)).toBe(false)
    expect(statement.allows([1, 'a', 2], false, 0)).toBe(false)
    expect(statement.allows([null, undefined], false, 1e9)).toBe(true)
  })

  test('is used only briefly for a value that another type may read differently', () => {
    const statement = described('select * from thing where name = $1', [TEXT], 1_000)
    expect(statement.allows(['a'], false, 1_050)).toBe(true)
    expect(statement.allows(['a'], false, 1_101)).toBe(false)
    expect(statement.isCheckDue(1_101)).toBe(true)
    statement.updateTypes([TEXT], 1_101)
    expect(statement.isCheckDue(1_102)).toBe(false)
    expect(statement.allows(['a'], false, 1_102)).toBe(true)
  })

  test('is checked early by one execution, so that concurrent ones need not', () => {
    const statement = described('select * from thing where name = $1', [TEXT], 1_000)
    const allowed = [1_060, 1_061, 1_062].map((now) => statement.allows(['a'], false, now))
    expect(allowed).toEqual([false, true, true])
  })

  test('is not used for a value that another type always reads differently, however fresh the answer is', () => {
    const statement = described('select * from thing where name = $1 and id = $2', [TEXT, INT4], 1_000)
    expect(statement.allows(['a ', 1], false, 1_000)).toBe(false)
    expect(statement.allows(['a', -1], false, 1_000)).toBe(false)
    expect(described('select f($1)', [INT4], 1_000).allows([-1], false, 1_000)).toBe(false)
  })

  test('asks for the types again after half of the time that an answer is valid', () => {
    const statement = described(BY_ID, [INT4], 1_000)
    expect([1_050, 1_051].map((now) => statement.isCheckDue(now))).toEqual([false, true])
    // An answer to an older question does not count as a newer one.
    statement.updateTypes([INT4], 1_100)
    statement.updateTypes([INT4], 1_000)
    expect([1_150, 1_151].map((now) => statement.isCheckDue(now))).toEqual([false, true])
    statement.invalidateTypes()
    expect(statement.isCheckDue(1_100)).toBe(true)
  })

  test('is used for values at the end of that time, and no longer', () => {
    const statement = described('select * from thing where name = $1', [TEXT], 1_000)
    expect(statement.allows(['a'], false, 1_100)).toBe(false)
    expect(statement.allows(['a'], false, 1_100)).toBe(true)
    expect(statement.allows(['a'], false, 1_101)).toBe(false)
    // Another answer is needed for the next check.
    statement.updateTypes([TEXT], 1_110)
    expect([1_165, 1_166].map((now) => statement.allows(['a'], false, now))).toEqual([false, true])
  })

  test('is used at any time for a value that every type reads the same', () => {
    expect(described(BY_ID, [INT4]).allows([1], false, 1e9)).toBe(true)
  })

  test('is used only briefly for an argument of a function, too', () => {
    const statement = described('select f($1)', [INT4])
    expect([statement.allows([1], false, 10), statement.allows([1], false, 200)]).toEqual([true, false])
  })

  test('is tried by only one transaction at a time', () => {
    const statement = described(BY_ID, [INT4])
    expect([statement.beginTrial(), statement.beginTrial()]).toEqual([true, false])
    statement.endTrial()
    expect(statement.beginTrial()).toBe(true)
  })

  test('must be checked again after a rename', () => {
    const statement = described('select * from thing where name = $1', [TEXT])
    const { name } = statement
    statement.rename()
    expect(statement.name).not.toBe(name)
    expect(statement.allows(['a'], false, 1)).toBe(false)
  })
})

describe('parameter types from the server', () => {
  test('that have changed: values are judged by the new types', () => {
    const statement = described(BY_ID, [INT4])
    expect(statement.updateTypes([INT8], 5)).toBe('changed')
    expect(statement.allows([3e9], false, 6)).toBe(true)
  })

  test('of which there are more or fewer than before have changed', () => {
    const statement = described('select * from thing where id in ($1, $2)', [INT4, INT4])
    expect(statement.updateTypes([INT4, INT4], 1)).toBe('known')
    expect(statement.updateTypes([INT4], 2)).toBe('changed')
    expect(statement.allows([1], false, 3)).toBe(true)
    expect(statement.updateTypes([INT4, INT4], 4)).toBe('changed')
  })

  test('of which a later one is unsafe are named by their number', () => {
    expect(new PreparedText('select $1::int, $2').updateTypes([INT4, TIMESTAMP], 0)).toEqual({
      unsafe: '$2 is timestamp: it drops the offset',
    })
  })

  test.for([
    [TIMESTAMP, /^\$1 is timestamp: it drops the offset$/],
    [MOOD, /^\$1 is type 16500: .*enums/],
  ] as const)('that one is %i: no value is safe', ([type, reason]) => {
    expect(new PreparedText(BY_ID).updateTypes([type], 0)).toEqual({ unsafe: expect.stringMatching(reason) })
  })

  test('with a cast to a built-in type in the text: every value is safe', () => {
    const statement = described('select * from thing where at > $1::timestamp', [TIMESTAMP])
    expect(statement.allows(['2022-01-01 00:00-02'], true, 1e9)).toBe(true)
    expect(described('select $1::int', [INT4]).allows([-1], true, 1e9)).toBe(true)
    expect(new PreparedText('select $1::mood').updateTypes([MOOD], 0)).toMatchObject({ unsafe: expect.anything() })
  })
})
