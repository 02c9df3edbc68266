import { expect, test } from 'vitest'
import { publishStatement, readServerSessions, trustRows } from './fleet-query.ts'
import type { ActivityRow } from './fleet-view.ts'

const row = (name: string, role: string, others: Partial<ActivityRow> = {}): ActivityRow => ({
  ...{ name, role, ownRole: false, ownDatabase: true, readable: false, count: 1, ...others },
})

test('a member of a trusted role counts as an instance, also with connections of two roles', () => {
  const groups = ['orders_app']
  const rows = [
    row('orders#mememe', 'v-1', { ownRole: true, groups }),
    row('orders#mememe', 'v-0', { groups }),
    row('orders#000001', 'v-2', { groups }),
    row('orders#000001', 'v-3', { groups }),
    row('orders#000002', 'orders_app'),
    row('orders#000003', 'stranger', { groups: ['others'] }),
  ]

  const { rows: trusted, ignored } = trustRows(rows, ['bills', 'orders_app'])

  expect(trusted.map(({ name }) => name)).toEqual([...rows.slice(0, 5).map(({ name }) => name), ''])
  expect(ignored).toEqual([{ role: 'stranger', app: 'orders', count: 1 }])
})

test('a member of a trusted role cannot take the name of an instance of the own role', () => {
  const rows = [row('orders#000001', 'app', { ownRole: true }), row('orders#000001', 'v-1', { groups: ['trusted'] })]

  expect(trustRows(rows, ['trusted']).rows.map(({ name }) => name)).toEqual(['orders#000001', ''])
})

test('without trusted roles, membership makes no instance', () => {
  expect(trustRows([row('orders#000001', 'v-1', { groups: ['app'] })], []).rows[0]?.name).toBe('')
})

test.each(["x'; drop table users; --", 'a b', 'a\\', 'a"', 'ä'])('the name %j is never published', (name) => {
  expect(() => publishStatement(name)).toThrow('a character that is never published')
})

test('the name of a member with its figures is published', () => {
  const name = 'my.app-1_a#000001:t=12,d=3,n=1z'
  expect(publishStatement(name)).toBe(`set application_name = '${name}'`)
})

const CAPACITY = {
  ...{ maxConnections: 100, reserved: 3, roleLimit: null, databaseLimit: null },
  ...{ used: 2, usedByRole: 1, usedByDatabase: 1 },
}
const SESSION = { name: null, role: 'app', ownRole: true, ownDatabase: true, readable: true, count: 2, groups: null }
const answerOf = (more: object) => JSON.stringify({ capacity: CAPACITY, rows: [SESSION], parallelWorkers: 8, ...more })

test('sessions are read with the limits of the server', () => {
  expect(readServerSessions(answerOf({}))).toMatchObject({
    capacity: CAPACITY,
    rows: [{ name: '', role: 'app', ownRole: true, ownDatabase: true, readable: true, count: 2 }],
    parallelWorkers: 8,
  })
})

test.each([undefined, null, '', 'null', answerOf({ capacity: null }), answerOf({ rows: null })])(
  'the answer %j has no sessions',
  (answer) => {
    expect(readServerSessions(answer)).toBeUndefined()
  },
)

test.each([
  ['{', 'is invalid'],
  [answerOf({ rows: [{ ...SESSION, count: 'many' }] }), '"count"'],
  [answerOf({ rows: [{ ...SESSION, ownRole: 1 }] }), '"ownRole"'],
  [answerOf({ parallelWorkers: -1 }), '"parallelWorkers"'],
  [answerOf({ capacity: { ...CAPACITY, reserved: null } }), '"reserved"'],
])('the answer %j is rejected: %s', (answer, what) => {
  expect(() => readServerSessions(answer)).toThrow(
    expect.objectContaining({ name: 'InvalidAnswerError', message: expect.stringContaining(what) }),
  )
})
