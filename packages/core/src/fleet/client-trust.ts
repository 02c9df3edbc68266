import { PGBOUNCER_CONSOLE, type PgBouncerClient } from '../topology/index.ts'
import { parseMemberName } from './member-name.ts'
import { memberOf } from './pooler-view.ts'
import { type IgnoredConnections, type Naming, trustNames } from './trusted-names.ts'

/** Whose names count among PgBouncer's clients. */
export interface ClientTrust {
  /** `app#id`, of the instance that looks. */
  readonly member: string
  /** What the instance's own connections have logged in to. */
  readonly database: string
  readonly user: string
  /** The user of its connection to the console. */
  readonly consoleUser: string
  readonly trustedRoles: readonly string[]
}

/**
 * Takes the names from clients that are not of a trusted user, so that they are nobody's, and the instance's own name from
 * clients that are not of its database.
 *
 * PgBouncer lets only `admin_users` and `stats_users` into its console. Instances may differ in the user that they look as, so
 * any of those may publish for a member with clients of a trusted user, as long as none of a better rank does.
 */
export function trustClients(
  clients: readonly PgBouncerClient[],
  { member, database, user: login, consoleUser, trustedRoles }: ClientTrust,
): { clients: PgBouncerClient[]; ignored: readonly IgnoredConnections[] } {
  const own = clients.filter((each) => each.database === database && memberOf(each.applicationName) === member)
  // With `auth_type = any` PgBouncer takes another user than the one that has logged in.
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

/** -1 where it is in none. */
function rankOf(user: string, ranks: readonly (readonly string[])[]): number {
  return ranks.findIndex((users) => users.includes(user))
}
