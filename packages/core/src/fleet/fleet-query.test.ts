import { expect, test } from 'vitest'
import { trustRows } from './fleet-query.ts'
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
