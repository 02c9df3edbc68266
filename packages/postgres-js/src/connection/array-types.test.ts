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
])('given the array %s, then it is read', (text, expected) => {
  expect(parseArray(text.slice(1), ',')).toEqual(expected)
})

test('given boxes, then they are parted by semicolons', () => {
  expect(parseArray('(1,1),(0,0);(2,2),(1,1)}', ';')).toEqual(['(1,1),(0,0)', '(2,2),(1,1)'])
})

test('given a parser of the elements, then it reads all but NULL', () => {
  expect(parseArray('1,NULL,3}', ',', Number)).toEqual([1, null, 3])
})
