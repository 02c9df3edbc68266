import type { UsageRow } from '@poolguard/core/postgres'
import { expect, test } from 'vitest'
import { countUsage } from './sample.ts'

const row = (application: string, connections: number, database = 'app'): UsageRow => ({
  application,
  role: 'app',
  database,
  sameRole: true,
  sameDatabase: database === 'app',
  connections,
  hidden: 0,
})

test('a sample has one count for each application, over all databases', () => {
  expect(countUsage({ openSlots: 97 }, [row('orders', 5), row('orders', 2, 'reports'), row('', 1)])).toEqual({
    used: 8,
    usable: 97,
    applications: [
      { application: 'orders', role: 'app', connections: 7 },
      { application: '', role: 'app', connections: 1 },
    ],
  })
})

test('counts the instances of a fleet as one application', () => {
  const rows = [
    row('psql', 4),
    row('orders#3f9a1b', 3),
    row('orders#3f9a1b:t=8,d=12,n=1l', 1),
    row('orders#9c02ee:t=9,d=4,n=2', 1),
    row('worker#iNsTaNCeOFAfLeEtBeHInDApgboUNcEr', 2),
  ]

  expect(countUsage({ openSlots: 97 }, rows).applications).toEqual([
    { application: 'orders', role: 'app', connections: 5, instances: 2 },
    { application: 'psql', role: 'app', connections: 4 },
    { application: 'worker', role: 'app', connections: 2 },
  ])
})
