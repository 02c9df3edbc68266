import { PGBOUNCER_CONSOLE, type PgBouncerClient } from '../topology/index.ts'
import { parseMemberName } from './member-name.ts'
import { memberOf } from './pooler-view.ts'
import { type IgnoredConnections, type Naming, trustNames } from './trusted-names.ts'

/** Determines which of PgBouncer's clients count as instances. */
export interface ClientTrust {
  /** `app#id` of this instance. */
  readonly member: string
  /** Database and user of this instance's own connections. */
  readonly database: string
  readonly user: string
  /** The user of this instance's connection to the console. */
  readonly consoleUser: string
  readonly trustedRoles: readonly string[]
}

/**
 * Clears the names of clients without a trusted user, so that they belong to no instance, and this instance's own name on clients
 * of other databases.
 *
 * PgBouncer admits only `admin_users` and `stats_users` to its console. Instances may use different users for it, so any of these
 * users may publish for an instance that has clients of a trusted user, unless a user of a better rank does.
 */
export function trustClients(
  clients: readonly PgBouncerClient[],
  { member, database, user: login, consoleUser, trustedRoles }: ClientTrust,
): { clients: PgBouncerClient[]; ignored: readonly IgnoredConnections[] } {
  const own = clients.filter((each) => each.database === database && memberOf(each.applicationName) === member)
  // With `auth_type = any` PgBouncer shows another user than the one that has logged in.
  const user = own.some((each) => each.user === login) ? login : (own[0]?.user ?? login)
  const admitted = trustNames(clients, (client): Naming | undefined => {
    const named = isConsole(client) ? undefined : memberOf(client.applicationName)
    if (named === undefined || (named === member && client.database !== database)) return undefined
    return { member: named, role: client.user, rank: rankOf(client.user, [[user], trustedRoles]), count: 1 }
  })
  const members = new Set([...admitted.trusted].map(({ applicationName }) => memberOf(applicationName)))
  const consoles = trustNames(clients, (client): Naming | undefined => {
    const named = isConsole(client) ? parseMemberName(client.applicationName)?.member : undefined
    if (named === undefined) return undefined
    const others = members.has(named) ? [client.user] : []
    const rank = rankOf(client.user, [[consoleUser], [user], trustedRoles, others])
    return { member: named, role: client.user, rank, count: 1 }
  })
  const isTrusted = (client: PgBouncerClient) => admitted.trusted.has(client) || consoles.trusted.has(client)
  return {
    clients: clients.map((client) => (isTrusted(client) ? client : { ...client, applicationName: '' })),
    ignored: [...admitted.ignored, ...consoles.ignored],
  }
}

function isConsole({ database }: PgBouncerClient): boolean {
  return database === PGBOUNCER_CONSOLE
}

/** -1 if no rank includes the user. */
function rankOf(user: string, ranks: readonly (readonly string[])[]): number {
  return ranks.findIndex((users) => users.includes(user))
}
