import { expect, test } from 'vitest'
import { readPlaceholders } from './placeholders.ts'

test.each<[sql: string, count: number, names: string[], anonymous: boolean]>([
  ['SELECT 1', 0, [], false],
  ['SELECT ?, ?', 2, [], true],
  ['SELECT :a, @b, $c, :a', 3, ['a', 'b', 'c'], false],
  ['SELECT ?2, ?1, ?2', 2, ['2', '1'], false],
  ['SELECT ?3, ?', 4, ['3'], true],
  ["SELECT '?', 'it''s :a', \"a?\"\":b\", `?`, [:c], ?", 1, [], true],
  ['SELECT a$b, x -- :a\n, ? /* ? */', 1, [], true],
  ["SELECT data ->> '$.a', data -> ? FROM t", 1, [], true],
  ['SELECT :größe', 1, ['größe'], false],
])('%s', (sql, count, names, anonymous) => {
  const found = readPlaceholders(sql)
  expect({ ...found, names: [...found.names] }).toEqual({ count, names, anonymous })
})
