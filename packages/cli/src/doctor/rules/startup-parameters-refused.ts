import type { ConnectionString } from '@poolguard/core/postgres'
import { t } from '../../output/translate.ts'
import { alterRole } from '../alter-role.ts'
import { type Facts, poolerSettings, usesPoolguard } from '../facts.ts'
import type { Rule } from '../rule.ts'

/** Startup parameters that drivers send and that PgBouncer does not track by default. */
const PARAMETERS = ['options', 'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']

export const startupParametersRefused: Rule = {
  id: 'startup-parameters-refused',
  title: 'The URL has a startup parameter that PgBouncer rejects',
  severity: 'critical',
  check: (facts) => {
    const { target, server } = facts
    if (!target || usesPoolguard(facts) || !leadsToPgBouncer(facts)) return []
    const ignored =
      poolerSettings(facts)
        ?.values.get('ignore_startup_parameters')
        ?.split(',')
        .map((name) => name.trim()) ?? []
    const refused = PARAMETERS.filter((name) => target.url.parameter(name) !== undefined && !ignored.includes(name))
    return refused.map((name) => ({
      evidence:
        ignored.length > 0
          ? t`${name} in ${target.source}; ignore_startup_parameters is ${ignored.join(', ')}.`
          : t`${name} in ${target.source}; ignore_startup_parameters does not list it.`,
      why: t`Connecting fails with "unsupported startup parameter: ${name}".`,
      change: t`Remove it from the URL and set it on the server: ${onServer(name, target.url, server?.role)}. (With ignore_startup_parameters, PgBouncer would silently drop it.)`,
      data: { parameter: name, source: target.source },
    }))
  },
}

function leadsToPgBouncer({ server, pooler, endpoint }: Facts): boolean {
  if (server) return server.topology.kind === 'pooler'
  return pooler !== undefined || endpoint === 'pooler' || endpoint === 'transaction-pooler'
}

/** A pooler's user name may differ from the role: `postgres.project`. */
function onServer(name: string, url: ConnectionString, role = url.user ?? 'the_role'): string {
  if (name === 'options') return t`${alterRole(role, 'name', 'value')} for each -c name=value in it`
  return alterRole(role, name, url.parameter(name) ?? '')
}
