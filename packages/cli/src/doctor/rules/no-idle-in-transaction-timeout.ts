import pg from 'pg'
import { t } from '../../output/translate.ts'
import { alterRole } from '../alter-role.ts'
import type { Rule } from '../rule.ts'

const SETTING = 'idle_in_transaction_session_timeout'

export const noIdleInTransactionTimeout: Rule = {
  id: 'no-idle-in-transaction-timeout',
  title: 'Nothing ends a forgotten transaction',
  severity: 'warning',
  check: ({ server }) => {
    if (server?.idleInTransactionTimeoutMillis !== 0) return []
    const { role, database, superuser, boundsOtherRoles } = server
    // A superuser runs doctor for an app that logs in as another role, which may have its own timeout.
    if (superuser && boundsOtherRoles) return []
    const change = superuser
      ? `ALTER DATABASE ${pg.escapeIdentifier(database)} SET ${SETTING} = '60s'`
      : alterRole(role, SETTING, '60s')
    return [
      {
        evidence: t`${SETTING} is 0 for ${role}.`,
        why: t`One missing ROLLBACK holds a connection and its locks until the session ends.`,
        change: t`${change}; this applies to new sessions, also behind a pooler.`,
        data: { role, setting: SETTING, millis: 0 },
      },
    ]
  },
}
