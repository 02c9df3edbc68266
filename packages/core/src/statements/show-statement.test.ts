import { expect, test } from 'vitest'
import { showStatement } from './show-statement.ts'

test.each([
  ['select 1', 'select ?'],
  ["select * from people where name = 'Ada''s' and id = $1", 'select * from people where name = ? and id = $1'],
  ['  update t\n\tset a = 1.5e3,\n b = -7 -- 7\n', 'update t set a = ?, b = -?'],
  ['select /* secret */ "Name" from t', 'select "Name" from t'],
  ['select $$secret$$, $tag$secret$tag$', 'select ?, ?'],
  ["select E'se\\'cret', U&'secret', B'1', X'ff'", 'select ?, ?, ?, ?'],
  ["select 'never closed", 'select ?'],
  ['', ''],
])('shows %j', (text, shown) => {
  expect(showStatement(text)).toBe(shown)
})

test('truncates a long statement, and reads no further', () => {
  const shown = showStatement(`select ${'a_column, '.repeat(1_000_000)}`)
  expect(shown).toHaveLength(500)
  expect(shown).toMatch(/^select a_column, .*…$/)
})
