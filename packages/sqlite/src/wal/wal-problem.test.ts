import type { LeaseReport } from '@poolguard/core'
import type { Pool } from '@poolguard/core/adapter'
import { expect, test } from 'vitest'
import type { SqliteConnection } from '../connection/sqlite-connection.ts'
import { describeWalProblem, type WalObstacle } from './wal-problem.ts'

const SIZE = { file: '/data/app.db', bytes: 80 * 2 ** 20, maxBytes: 64 * 2 ** 20 }
const STACK = '    at exportOrders (/app/export.js:3:1)'

test.each<[WalObstacle, reason: RegExp]>([
  [{ kind: 'read', pool: poolWith('app.readers', null) }, /a read on "app\.readers" has been open for 12\.3 s.*sooner/],
  [{ kind: 'read', pool: poolWith('app.readers', STACK) }, /acquired here:\n {4}at exportOrders/],
  [{ kind: 'write', pool: poolWith('app.writer', null) }, /a transaction on "app\.writer" has been open for 12\.3 s/],
  [{ kind: 'another process' }, /another process.*fuser \/data\/app\.db-wal/],
  [{ kind: 'not writable' }, /may not write to the file/],
  [{ kind: 'failed', error: new Error('disk I/O error') }, /the checkpoint failed: disk I\/O error/],
])('the problem of %j has sizes, a reason and a remedy', (obstacle, reason) => {
  const problem = describeWalProblem(SIZE, obstacle)
  expect(problem).toMatch(
    /^The WAL of app\.db has 80\.0 MiB, more than maxWalBytes \(64\.0 MiB\), and cannot be reset: /,
  )
  expect(problem).toMatch(reason)
})

function poolWith(name: string, stack: string | null): Pool<SqliteConnection> {
  const leases = (): readonly LeaseReport[] => [{ label: null, heldMillis: 12_345, quietMillis: 0, stack }]
  return { name, leases } as unknown as Pool<SqliteConnection>
}
