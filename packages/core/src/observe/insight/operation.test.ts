import { expect, test } from 'vitest'
import { operationOf } from './operation.ts'

test.each([
  ["select 1 /*action='findMany',model='User'*/", 'User.findMany'],
  ["/*model='Order',action='create'*/ insert into orders values ($1)", 'Order.create'],
  [
    "select 1 /* controller='orders',action='list', traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-01' */ ;",
    undefined,
  ],
  ["select 1 /*db_operation='find%20the%20cart'*/", 'find the cart'],
  ['/* find the cart */ select 1', 'find the cart'],
  ['/* user 123456 */ select 1', undefined],
  ["/* it's */ select 1", undefined],
  ["select 1 /*action='x=%zz'*/", undefined],
  ['select 1 /* unfinished', undefined],
  ['select 1', undefined],
  ['', undefined],
])('the operation of %s is %s', (text, operation) => {
  expect(operationOf(text)).toBe(operation)
})
