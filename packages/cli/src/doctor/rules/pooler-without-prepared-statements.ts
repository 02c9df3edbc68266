import { poolerSettings, settingOf } from '../facts.ts'
import type { Rule } from '../rule.ts'

export const poolerWithoutPreparedStatements: Rule = {
  id: 'pooler-without-prepared-statements',
  title: 'PgBouncer could follow prepared statements, and is told not to',
  severity: 'warning',
  check: (facts) => {
    const settings = poolerSettings(facts)
    if (!settings || settings.values.get('pool_mode') === 'session') return []
    // Older ones do not have the setting.
    if (settingOf(settings, 'max_prepared_statements') !== 0) return []
    return [
      {
        evidence: `max_prepared_statements = 0 (${settings.source}).`,
        why: 'In transaction mode no client can use named statements: every query is planned anew, or fails.',
        change: 'Set max_prepared_statements = 200 (PgBouncer 1.21 or newer; 1.24 has it by default) and RELOAD.',
      },
    ]
  },
}
