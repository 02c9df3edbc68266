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
      [
        ...[UUID.toUpperCase(), UUID.replaceAll('-', ''), `{${UUID}}`, `${UUID} `, 7],
        ...[UUID.replace('7', 'g'), UUID.replace('7', '`'), UUID.replace('7', ':'), UUID.replace('7', '/')],
        // A digit in the place of each hyphen.
        ...[8, 13, 18, 23].map((at) => `${UUID.slice(0, at)}0${UUID.slice(at + 1)}`),
      ],
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
    const plain = ['someone@example.org', 'abc', 'deadbeef', 'nothing', UUID, '7', '32767', 'true', 'false', 7, true]
    for (const value of plain) expect([value, judge?.(value, true)]).toEqual([value, 'checked'])
    const read = [
      '007',
      '+7',
      '-7',
      ' 7',
      '.5',
      '1.50',
      '32768',
      'TRUE',
      ...['t', 'tr', 'tru', 'f', 'fa', 'fal', 'fals', 'y', 'ye', 'n', 'no', 'on', 'of', 'inf'],
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

  test('a text may have 63 bytes in UTF-8, and as many digits as a number of its type', () => {
    const judge = judgeOfType(TYPES.text)
    for (const [value, verdict] of [
      ['x'.repeat(21), 'checked'],
      ['\u4e2d'.repeat(21), 'checked'],
      [`${'\u4e2d'.repeat(21)}x`, 'never'],
      [' ', 'never'],
      [7n, 'checked'],
      [null, 'never'],
    ]) {
      expect([value, judge?.(value, false)]).toEqual([value, verdict])
    }
    const int8 = judgeOfType(TYPES.int8)
    for (const digits of [4, 5, 15, 16, 18]) expect(int8?.('9'.repeat(digits), false)).not.toBe('never')
    expect(int8?.('9'.repeat(19), false)).toBe('never')
    expect(int8?.('123:', false)).toBe('never')
    expect(int8?.('123/', false)).toBe('never')
  })
})
