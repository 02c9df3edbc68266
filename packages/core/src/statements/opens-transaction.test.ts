import { expect, test } from 'vitest'
import { opensTransaction } from './opens-transaction.ts'

test.for([
  ['begin', true],
  ['  BEGIN ISOLATION LEVEL SERIALIZABLE;', true],
  ['Start Transaction Read Only', true],
  ['/* a comment */ begin', true],
  ['-- a comment\nbegin', true],
  ['select 1; begin; select 2', true],
  ['begin; commit; begin', true],
  ['begin; select 1; commit and chain', true],
  ['begin; savepoint a; rollback to a', true],
  ['begin; savepoint a; rollback work to savepoint a', true],
  ["begin; commit prepared 'x'", true],
  ['begin; prepare transaction as select 1', true],
  ['begin; create or replace function f() returns int begin atomic select 1; end; select 1', true],
  ['create procedure p() begin atomic select 1; end; begin', true],
  ['begin; commit; rollback and chain', false],
  ['begin; select 1; commit', false],
  ['BEGIN;\nselect 1;\nROLLBACK WORK;', false],
  ['begin; end transaction', false],
  ['start transaction; abort', false],
  ["begin; prepare transaction 'x'", false],
  ['commit and no chain', false],
  ['commit', false],
  ['select begin from start', false],
  ["select ';begin'", false],
  ['stop', false],
  ['start replication', false],
  ['create function f() returns int begin atomic select 1; end', false],
  ['do $$ begin perform 1; end $$', false],
  ['', false],
] as const)('%s: %s', ([text, opens]) => {
  expect(opensTransaction(text)).toBe(opens)
})

test('a text of more than 10,000 characters is not read', () => {
  expect(opensTransaction('begin'.padEnd(10_000))).toBe(true)
  expect(opensTransaction('begin'.padEnd(10_001))).toBe(false)
})
