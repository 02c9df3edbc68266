import { expect, test } from 'vitest'
import { connectionsOfOthers, type UsageRow } from './usage.ts'

const row = (application: string, connections: number, rest: Partial<UsageRow> = {}): UsageRow => ({
  application,
  role: 'app',
  database: 'app',
  sameRole: true,
  sameDatabase: true,
  hidden: 0,
  connections,
  ...rest,
})

test('connections of others are all except ours, with a part for each limit', () => {
  const rows = [
    row('orders', 30),
    row('orders', 4, { sameRole: false, role: 'admin' }),
    row('', 3),
    row('cron', 2, { sameRole: false, role: 'cron' }),
    row('reports', 5, { sameDatabase: false, database: 'reports' }),
  ]

  const orders = ({ application }: UsageRow) => application === 'orders'
  expect(connectionsOfOthers(rows, orders)).toEqual({ connections: 10, ofRole: 8, ofDatabase: 5 })
  expect(connectionsOfOthers(rows), 'the same role in the same database is ours').toEqual({
    connections: 11,
    ofRole: 5,
    ofDatabase: 6,
  })
  expect(connectionsOfOthers([])).toEqual({ connections: 0, ofRole: 0, ofDatabase: 0 })
})
