import { poolerSettings, settingOf } from '../facts.ts'
import type { Rule } from '../rule.ts'

/** For its log, its listening sockets and its lookups. */
const OWN_FILES = 50

export const clientsExceedFiles: Rule = {
  id: 'clients-exceed-files',
  title: 'PgBouncer may not open as many files as it admits clients',
  severity: 'warning',
  check: (facts) => {
    const settings = poolerSettings(facts)
    const files = facts.project.compose?.poolerFiles
    if (!settings || files === undefined) return []
    const clients = settingOf(settings, 'max_client_conn') ?? 100
    const servers = (settingOf(settings, 'default_pool_size') ?? 20) * settings.databases
    const needed = clients + servers + OWN_FILES
    if (needed <= files) return []
    return [
      {
        evidence: `max_client_conn ${clients} + ${servers} servers + ${OWN_FILES} of its own = ${needed} files (${settings.source}); ulimits.nofile is ${files} (${facts.project.compose?.file}).`,
        why: 'Beyond that it accepts no client, long before max_client_conn says so.',
        change: `Set ulimits.nofile to ${needed} or more, or max_client_conn to ${Math.max(1, files - servers - OWN_FILES)}.`,
      },
    ]
  },
}
