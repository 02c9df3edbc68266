import postgres from 'postgres'
import { expect, test } from 'vitest'
import type { Query } from '../internals.ts'
import { textOf } from './statement-text.ts'

const sql = postgres()
const text = (query: unknown) => textOf(query as Query)

test('textOf returns the statement of a query with parameters, fragments and builders', () => {
  expect(text(sql`select ${1} from t`)).toBe('select $1 from t')
  expect(text(sql`${sql`set`} ${sql`work_mem`} to ${'1MB'}`)).toBe('set work_mem to $1')
  expect(text(sql`select 1 ${[sql`from a`, sql`join b`]}`)).toBe('select 1  from a join b')
  expect(text(sql`insert into t ${sql({ a: 1 })}`)).toBe('insert into t $1')
  expect(text(sql.unsafe('listen news', [1]))).toBe('listen news')
})
