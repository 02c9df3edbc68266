import pg from 'pg'
import { alterRole } from '../alter-role.ts'
import type { Rule } from '../rule.ts'

const SETTING = 'idle_in_transaction_session_timeout'

export const noIdleInTransactionTimeout: Rule = {
  id: 'no-idle-in-transaction-timeout',
  title: 'Nothing ends a transaction that was forgotten',
  severity: 'warning',
  check: ({ server }) => {
    if (server?.idleInTransactionTimeoutMillis !== 0) return []
    const { role, database, superuser, boundsOtherRoles } = server
    // A superuser asks for an app of another role, which may have a timeout of its own.
    if (superuser && boundsOtherRoles) return []
    const change = superuser
      ? `ALTER DATABASE ${pg.escapeIdentifier(database)} SET ${SETTING} = '60s'`
      : alterRole(role, SETTING, '60s')
    return [
      {
        evidence: `${SETTING} is 0 for ${role}.`,
        why: 'One missing rollback keeps a connection and its locks for ever.',
        change: `${change}; it holds for new sessions, behind a pooler too.`,
      },
    ]
  },
}
