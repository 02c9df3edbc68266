import { t } from '../../output/translate.ts'
import type { PoolerInFiles } from '../../project/deployments/container.ts'
import { poolerImage } from '../../project/deployments/pooler-settings.ts'
import { deployedPoolers } from '../deployed.ts'
import type { Finding, Rule } from '../rule.ts'

/** Settings of PgBouncer that images take as variables. */
const SETTINGS = new Set([
  ...[
    'pool_mode',
    'max_client_conn',
    'default_pool_size',
    'min_pool_size',
    'reserve_pool_size',
    'reserve_pool_timeout',
  ],
  ...['max_db_connections', 'max_user_connections', 'max_prepared_statements', 'ignore_startup_parameters'],
  ...['server_idle_timeout', 'server_lifetime', 'query_wait_timeout', 'query_timeout', 'idle_transaction_timeout'],
  ...[
    'client_idle_timeout',
    'server_reset_query',
    'auth_type',
    'auth_user',
    'auth_query',
    'admin_users',
    'stats_users',
  ],
])

export const poolerVariablesIgnored: Rule = {
  id: 'pooler-variables-ignored',
  title: 'The PgBouncer image does not read a variable',
  severity: 'warning',
  check: (facts) => deployedPoolers(facts).flatMap(ignoredOf),
}

function ignoredOf(pooler: PoolerInFiles): readonly Finding[] {
  const kind = poolerImage(pooler)
  if (kind === 'other') return []
  return [...pooler.variables].flatMap(([name, { place }]) => {
    const hasPrefix = name.startsWith('PGBOUNCER_')
    const setting = name.toLowerCase().replace(/^pgbouncer_/, '')
    const isRead = hasPrefix === (kind === 'bitnami')
    if (isRead || !SETTINGS.has(setting)) return []
    const right = kind === 'bitnami' ? `PGBOUNCER_${name}` : name.replace(/^PGBOUNCER_/, '')
    return [
      {
        evidence: t`${name} of ${pooler.name}, and the image is ${pooler.image?.written ?? ''}.`,
        why: t`This image reads ${right}; it ignores ${name}, and PgBouncer's default applies.`,
        change: t`Rename ${name} to ${right}.`,
        data: { service: pooler.name, variable: name, replacement: right },
        place,
      },
    ]
  })
}
