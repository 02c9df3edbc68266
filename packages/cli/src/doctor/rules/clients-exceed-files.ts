import { t } from '../../output/translate.ts'
import { poolerSettings, settingOf } from '../facts.ts'
import type { Rule } from '../rule.ts'

/** Files of PgBouncer's log, listening sockets and password lookups. */
const OWN_FILES = 50

export const clientsExceedFiles: Rule = {
  id: 'clients-exceed-files',
  title: 'PgBouncer may open fewer files than it accepts clients',
  severity: 'warning',
  check: (facts) => {
    const settings = poolerSettings(facts)
    const [pooler] = facts.project.deployments.deployments.flatMap(({ poolers }) => poolers)
    const files = pooler?.maxFiles
    if (!settings || files === undefined) return []
    const clients = settingOf(settings, 'max_client_conn') ?? 100
    const servers = (settingOf(settings, 'default_pool_size') ?? 20) * settings.databases
    const needed = clients + servers + OWN_FILES
    if (needed <= files) return []
    return [
      {
        evidence: t`max_client_conn ${clients} + ${servers} servers + ${OWN_FILES} of its own = ${needed} files (${settings.source}); ulimits.nofile is ${files} (${pooler?.place.file}).`,
        why: t`At that limit PgBouncer accepts no more clients, long before max_client_conn is reached.`,
        change: t`Set ulimits.nofile to ${needed} or more, or max_client_conn to ${Math.max(1, files - servers - OWN_FILES)}.`,
        data: { clients, servers, needed, files },
      },
    ]
  },
}
