import pg from 'pg'
import { t } from '../../output/translate.ts'
import type { Rule } from '../rule.ts'

export const poolerDisabled: Rule = {
  id: 'pooler-disabled',
  title: 'PgBouncer rejects all clients of a database',
  severity: 'critical',
  check: ({ pooler }) =>
    (pooler?.databases ?? [])
      .filter(({ disabled }) => disabled)
      .map(({ name }) => ({
        evidence: t`${name} is disabled (SHOW DATABASES).`,
        why: t`DISABLE rejects every new client of this database until ENABLE.`,
        now: [
          { text: t`On PgBouncer's console, as a user in admin_users:`, run: `ENABLE ${pg.escapeIdentifier(name)};` },
        ],
        change: t`DISABLE ends with ENABLE or a restart of PgBouncer. To close a database for good, remove it from [databases] in pgbouncer.ini.`,
        data: { database: name },
      })),
}
