import { alterRole } from '../alter-role.ts'
import { nameSessions } from '../name-sessions.ts'
import type { Rule } from '../rule.ts'

/** Shorter pauses are the app's own work between two statements. */
const SECONDS = 60

export const idleInTransaction: Rule = {
  id: 'idle-in-transaction',
  title: 'Transactions are held open by sessions that do nothing',
  severity: 'critical',
  check: ({ server }) =>
    (server?.applications ?? [])
      .filter(({ longestIdleInTransactionSeconds }) => longestIdleInTransactionSeconds >= SECONDS)
      .map(({ application, role, idleInTransaction, longestIdleInTransactionSeconds }) => ({
        evidence: `${idleInTransaction} of ${nameSessions(application)} (${role}), the longest for ${Math.round(longestIdleInTransactionSeconds)} s.`,
        why: 'Each keeps its connection, its locks, and VACUUM from cleaning up; with enough of them the pool is empty though the server is idle.',
        change: `Look for work between two statements of a transaction (HTTP calls, a missing rollback in an error path). A bound: ${alterRole(role, 'idle_in_transaction_session_timeout', '60s')}.`,
      })),
}
