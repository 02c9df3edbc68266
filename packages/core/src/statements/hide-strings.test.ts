import { expect, test } from 'vitest'
import { hideStrings } from './hide-strings.ts'

test.each([
  ["alter role app password 's3cret'", "alter role app password '***'"],
  ["create role x login password 's3cret", "create role x login password '***'"],
  ["select E'it\\'s s3cret', 'it''s s3cret'", "select '***', '***'"],
  ['do $body$ begin s3cret end $body$', "do '***'"],
  ["select 1 -- don't\n, 's3cret'", "select 1  \n, '***'"],
  ["select /* 's3cret' */ 1", 'select   1'],
  [`select "user's", 7 from "s"`, `select "user's", 7 from "s"`],
])('%j is shown as %j', (statement, shown) => {
  expect(hideStrings(statement)).toBe(shown)
})
