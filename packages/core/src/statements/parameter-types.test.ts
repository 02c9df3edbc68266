import { describe, expect, test } from 'vitest'
import { describeType, judgeOfType } from './parameter-types.ts'

const UUID = '7d444840-9dc0-11d1-b245-5ffdce74fad2'
const TYPES = { int2: 21, int4: 23, int8: 20, numeric: 1700, float8: 701, bool: 16, uuid: 2950, text: 25, json: 114 }

describe('values that are safe for a prepared statement', () => {
  test.for<[type: keyof typeof TYPES, verdict: string, values: readonly unknown[]]>([
    ['int2', 'always', [0, 7, '0', '7', 32_767, 7n]],
    [
      'int2',
      'never',
      [32_768, -1, '-1', '007', '+7', ' 7', '7 ', '', 7.5, '7.0', -0, NaN, Infinity, '7e1', true, {}, [7]],
    ],
    ['int4', 'checked', [32_768, '32768', 2_147_483_647, '2147483647', 40_000n]],
    ['int4', 'never', [2_147_483_648, '2147483648', 3e9, '0x7', Buffer.from('7')]],
    ['int8', 'checked', [3e9, '999999999999999999', 2n ** 40n, Number.MAX_SAFE_INTEGER]],
    ['int8', 'never', ['9223372036854775807', 2 ** 60, -1n, '-9']],
    ['numeric', 'always', [7, '7']],
    ['numeric', 'never', ['7.50', 7.5, 40_000, 'NaN']],
    ['float8', 'never', [0.1, '0.1', 16_777_217]],
    ['bool', 'checked', [true, false, 'true', 'false']],
    ['bool', 'never', ['t', 'TRUE', 'yes', '1', 1]],
    ['uuid', 'always', [UUID]],
    [
      'uuid',
      'never',
      [UUID.toUpperCase(), UUID.replaceAll('-', ''), `{${UUID}}`, `${UUID} `, UUID.replace('7', 'g'), 7],
    ],
    ['text', 'checked', ['', 'a', ' a', '007', 'ä'.repeat(31), 'x'.repeat(63), 7, true]],
    ['text', 'never', ['a ', 'x'.repeat(64), 'ä'.repeat(32), '\u4e2d'.repeat(22), {}, Buffer.from('a'), new Date()]],
    ['json', 'always', ['{"a":1}', { a: 1 }, [1]]],
    ['json', 'never', [Buffer.from('{}')]],
  ])('%s: %s %o', ([type, verdict, values]) => {
    for (const value of values) expect([value, judgeOfType(TYPES[type])?.(value, false)]).toEqual([value, verdict])
  })

  test('text, if other clients may have prepared the same text: no value that their types could read differently', () => {
    const judge = judgeOfType(TYPES.text)
    const plain = ['someone@example.org', 'abc', 'deadbeef', UUID, '7', 'true', 7, true]
    for (const value of plain) expect([value, judge?.(value, true)]).toEqual([value, 'checked'])
    const read = [
      '007',
      '+7',
      '-7',
      ' 7',
      '.5',
      '1.50',
      'TRUE',
      'Yes',
      'off',
      'NaN',
      'infinity',
      UUID.toUpperCase(),
      UUID.replaceAll('-', ''),
      '{a}',
      '2022-01-01',
    ]
    for (const value of read) expect([value, judge?.(value, true)]).toEqual([value, 'never'])
  })

  test.for([1114, 1184, 1082, 1042, 19, 17, 3802, 790, 869, 1007, 16_400])('type %i: no value is safe', (oid) => {
    expect(judgeOfType(oid)).toBeUndefined()
    expect(describeType(oid)).toMatch(/: it |: a |: integer|: arrays/)
  })
})
