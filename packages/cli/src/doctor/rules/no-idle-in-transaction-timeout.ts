import { alterRole } from '../alter-role.ts'
import type { Rule } from '../rule.ts'

export const noIdleInTransactionTimeout: Rule = {
  id: 'no-idle-in-transaction-timeout',
  title: 'Nothing ends a transaction that was forgotten',
  severity: 'warning',
  check: ({ server }) =>
    server && server.idleInTransactionTimeoutMillis === 0
      ? [
          {
            evidence: `idle_in_transaction_session_timeout is 0 for ${server.role}.`,
            why: 'One missing rollback keeps a connection and its locks for ever.',
            change: `${alterRole(server.role, 'idle_in_transaction_session_timeout', '60s')}; it holds for new sessions, behind a pooler too.`,
          },
        ]
      : [],
}
