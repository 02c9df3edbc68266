import { t } from '../../output/translate.ts'
import { poolersWithoutStatements } from '../deployed.ts'
import { type Facts, poolerSettings, settingOf } from '../facts.ts'
import { namedStatements } from '../named-statements.ts'
import type { Finding, Rule } from '../rule.ts'

export const poolerWithoutPreparedStatements: Rule = {
  id: 'pooler-without-prepared-statements',
  title: "PgBouncer's support for prepared statements is off",
  severity: 'warning',
  check: (facts) => {
    const settings = poolerSettings(facts)
    if (!settings || settings.values.get('pool_mode') === 'session') return []
    // PgBouncer before 1.21 does not have the setting.
    if (settingOf(settings, 'max_prepared_statements') !== 0) return facts.pooler ? [] : offByTag(facts)
    const place = settings.places?.get('max_prepared_statements')
    return [finding(t`max_prepared_statements = 0 (${settings.source}).`, place)]
  },
}

/** Old images, without the setting. If the app names its statements, prepared-statements-break reports it. */
function offByTag(facts: Facts): readonly Finding[] {
  if (facts.server || namedStatements(facts).length > 0) return []
  return poolersWithoutStatements(facts).map(({ name, byDefault, place }) =>
    byDefault === 'none'
      ? {
          ...finding(t`${name} has no max_prepared_statements, which came with 1.21.`, place),
          change: t`Use an image of PgBouncer 1.24 or later.`,
        }
      : finding(t`${name} without max_prepared_statements: its default is 0 before 1.24.`, place),
  )
}

function finding(evidence: string, place: Finding['place']): Finding {
  return {
    evidence,
    why: t`In transaction mode, prepared statements fail; without them PostgreSQL parses and plans every query again.`,
    change: t`Set max_prepared_statements = 200 (PgBouncer 1.21 or later; the default since 1.24) and RELOAD.`,
    data: {},
    ...(place && { place }),
  }
}
