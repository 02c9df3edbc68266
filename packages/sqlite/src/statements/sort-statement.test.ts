import { expect, test } from 'vitest'
import { type StatementKind, sortStatement } from './sort-statement.ts'

test.each<[sql: string, kind: StatementKind]>([
  ['SELECT 1', 'read'],
  ['  ;; select 1', 'read'],
  ['-- insert\nSELECT 1', 'read'],
  ['/* insert\n */ -- x\n  VALUES (1)', 'read'],
  ['WITH t AS (SELECT 1) INSERT INTO u SELECT * FROM t', 'read'],
  ['EXPLAIN DELETE FROM t', 'read'],
  ['SELECT last_insert_rowid()', 'write'],
  ['SELECT changes () AS n', 'write'],
  ['SELECT changes FROM t', 'read'],
  ['INSERT INTO t VALUES (1) RETURNING id', 'write'],
  ['selected', 'write'],
  ['VACUUM', 'write'],
  ['CREATE TABLE t (a)', 'write'],
  ['', 'write'],
  ['/* never ends', 'write'],
  ['PRAGMA user_version', 'pragma'],
  ['begin', 'transaction'],
  ['BEGIN IMMEDIATE TRANSACTION', 'transaction'],
  ['COMMIT', 'transaction'],
  ['END TRANSACTION', 'transaction'],
  ['ROLLBACK', 'transaction'],
  ['ROLLBACK TRANSACTION', 'transaction'],
  ['rollback to a', 'savepoint'],
  ['ROLLBACK TRANSACTION TO SAVEPOINT a', 'savepoint'],
  ['SAVEPOINT a', 'savepoint'],
  ['RELEASE a', 'savepoint'],
  ["ATTACH 'b.db' AS b", 'attach'],
  ['DETACH b', 'attach'],
  // Each comment can match in one way only: otherwise the time would grow exponentially.
  ['/**/'.repeat(50), 'write'],
])('%j is a %s', (sql, kind) => {
  expect(sortStatement(sql)).toBe(kind)
})
