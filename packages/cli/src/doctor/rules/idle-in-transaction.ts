import { alterRole } from '../alter-role.ts'
import { nameSessions } from '../name-sessions.ts'
import type { Rule } from '../rule.ts'

/** A shorter pause may be the app's own work between two statements. */
const SECONDS = 60

export const idleInTransaction: Rule = {
  id: 'idle-in-transaction',
  title: 'Sessions hold a transaction open and do nothing',
  severity: 'critical',
  check: ({ server }) =>
    (server?.applications ?? [])
      .filter(({ longestIdleInTransactionSeconds }) => longestIdleInTransactionSeconds >= SECONDS)
      .map(({ application, role, idleInTransaction, longestIdleInTransactionSeconds }) => ({
        evidence: `${idleInTransaction} ${idleInTransaction === 1 ? 'session' : 'sessions'} of ${nameSessions(application)} (role ${role}) idle in transaction, the longest for ${Math.round(longestIdleInTransactionSeconds)} s.`,
        why: 'Each one keeps its connection and its locks, and stops VACUUM from cleaning up. Enough of them exhaust the pool although the server is idle.',
        change: `Look for slow work between two statements of a transaction (an HTTP call) and for a missing ROLLBACK in an error path. To end such sessions after a minute: ${alterRole(role, 'idle_in_transaction_session_timeout', '60s')}.`,
        data: { application, role, sessions: idleInTransaction, longestSeconds: longestIdleInTransactionSeconds },
      })),
}
