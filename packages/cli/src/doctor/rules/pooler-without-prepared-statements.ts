import { poolerSettings, settingOf } from '../facts.ts'
import type { Rule } from '../rule.ts'

export const poolerWithoutPreparedStatements: Rule = {
  id: 'pooler-without-prepared-statements',
  title: "PgBouncer's support for prepared statements is off",
  severity: 'warning',
  check: (facts) => {
    const settings = poolerSettings(facts)
    if (!settings || settings.values.get('pool_mode') === 'session') return []
    // PgBouncer before 1.21 does not have the setting.
    if (settingOf(settings, 'max_prepared_statements') !== 0) return []
    return [
      {
        evidence: `max_prepared_statements = 0 (${settings.source}).`,
        why: 'In transaction mode, prepared statements fail; without them PostgreSQL parses and plans every query again.',
        change: 'Set max_prepared_statements = 200 (PgBouncer 1.21 or later; the default since 1.24) and RELOAD.',
        data: { maxPreparedStatements: 0, source: settings.source },
      },
    ]
  },
}
