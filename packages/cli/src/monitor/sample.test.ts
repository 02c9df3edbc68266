import type { UsageRow } from '@poolguard/core'
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

test('a sample counts each application once, over all databases', () => {
  expect(countUsage({ openSlots: 97 }, [row('orders', 5), row('orders', 2, 'reports'), row('', 1)])).toEqual({
    used: 8,
    usable: 97,
    applications: [
      { application: 'orders', role: 'app', connections: 7 },
      { application: '', role: 'app', connections: 1 },
    ],
  })
})
