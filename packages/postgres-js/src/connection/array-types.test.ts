import { expect, test } from 'vitest'
import { parseArray } from './array-types.ts'

test.each([
  ['{}', []],
  ['{1,2}', ['1', '2']],
  ['{NULL,"NULL",null}', [null, 'NULL', 'null']],
  ['{"a b","c\\"d","e\\\\f",""}', ['a b', 'c"d', 'e\\f', '']],
  [
    '{{1,2},{3,4}}',
    [
      ['1', '2'],
      ['3', '4'],
    ],
  ],
  ['{{"x,y"},{"{z}"}}', [['x,y'], ['{z}']]],
])('parses the array %s', (text, expected) => {
  expect(parseArray(text.slice(1), ',')).toEqual(expected)
})

test('the elements of a box array are separated by semicolons', () => {
  expect(parseArray('(1,1),(0,0);(2,2),(1,1)}', ';')).toEqual(['(1,1),(0,0)', '(2,2),(1,1)'])
})

test('the element parser gets all elements except NULL', () => {
  expect(parseArray('1,NULL,3}', ',', Number)).toEqual([1, null, 3])
})
