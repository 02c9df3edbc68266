import { PGBOUNCER_CONSOLE, type PgBouncerSocket } from '@poolguard/core/postgres'
import { t } from '../../output/translate.ts'
import { type Facts, poolerSettings, settingOf } from '../facts.ts'
import { nameSessions } from '../name-sessions.ts'
import type { Rule } from '../rule.ts'

const SHARE = 0.9
const MAX_NAMED = 3

export const poolerClientsNearLimit: Rule = {
  id: 'pooler-clients-near-limit',
  title: 'At least 90 % of the clients that PgBouncer accepts are connected',
  severity: 'critical',
  check: (facts) =>
    limitsOf(facts)
      .filter(({ limit, clients }) => limit > 0 && clients.length >= limit * SHARE)
      .map(({ setting, limit, clients }) => {
        const used = clients.length
        const applications = countOf(clients)
        const most = applications.slice(0, MAX_NAMED).map(([name, count]) => `${nameSessions(name)} ${count}`)
        return {
          evidence: t`${used} of ${limit} clients are connected (${setting}); most of them: ${most.join(', ')}.`,
          why:
            used >= limit
              ? t`PgBouncer rejects every new client now: no more connections allowed.`
              : t`PgBouncer will reject clients during the next deploy or burst of requests: no more connections allowed.`,
          now: [
            {
              text: t`On PgBouncer's console, as a user in admin_users (ends with the next RELOAD; the change below makes it permanent):`,
              run: `SET ${settingName(setting)} = ${limit * 2};`,
            },
          ],
          change: t`Set ${setting} in pgbouncer.ini to more than all pools of all instances together, and RELOAD. Each client costs PgBouncer about 2 kB and one open file: raise the limit of open files (LimitNOFILE, ulimits.nofile) with it. Or make the pools of the apps smaller: behind PgBouncer, they need few connections.`,
          data: { setting, used, limit, applications: Object.fromEntries(applications) },
        }
      }),
}

interface ClientLimit {
  readonly setting: string
  readonly limit: number
  readonly clients: readonly PgBouncerSocket[]
}

/** The limits for all clients, for each database and for each user. */
function limitsOf(facts: Facts): readonly ClientLimit[] {
  const { pooler } = facts
  const settings = poolerSettings(facts)
  if (!pooler || !settings) return []
  // PgBouncer itself counts clients of the console, but admits them beyond the limit.
  const clients = pooler.clients.filter(({ database }) => database !== PGBOUNCER_CONSOLE)
  return [
    { setting: 'max_client_conn', limit: settingOf(settings, 'max_client_conn') ?? 0, clients },
    ...pooler.databases
      .filter(({ name }) => name !== PGBOUNCER_CONSOLE)
      .map(({ name, maxClientConnections }) => ({
        setting: `max_db_client_connections, ${name}`,
        limit: maxClientConnections,
        clients: clients.filter(({ database }) => database === name),
      })),
    ...pooler.users.map(({ name, maxClientConnections }) => ({
      setting: `max_user_client_connections, ${name}`,
      limit: maxClientConnections ?? 0,
      clients: clients.filter(({ user }) => user === name),
    })),
  ]
}

function countOf(clients: readonly PgBouncerSocket[]): readonly (readonly [name: string, count: number])[] {
  const counts = new Map<string, number>()
  for (const { applicationName } of clients) counts.set(applicationName, (counts.get(applicationName) ?? 0) + 1)
  return [...counts].sort(([, a], [, b]) => b - a)
}

function settingName(setting: string): string {
  return setting.split(',')[0] ?? setting
}
