import { type PoolerAnswers, poolerServers, readPoolerCapacity } from '../budget/index.ts'
import { PGBOUNCER_CONSOLE, type PgBouncerClient, pgBouncerSettingAsNumber } from '../topology/index.ts'
import { type ActivityRow, type FleetView, inDatabase, type Limit, ofRole, viewLimits } from './fleet-view.ts'
import { parseMemberName } from './member-name.ts'
import { parsePooledName } from './pooled-name.ts'

/** What PgBouncer's console tells of its clients and its limits. */
export interface PoolerLook extends Omit<PoolerAnswers, 'pools'> {
  readonly clients: readonly PgBouncerClient[]
}

/** What one member sees through the console. */
export interface PoolerView extends FleetView {
  /** Connections of this member that are seen. */
  readonly own: number
}

/**
 * Sorts what was seen of PgBouncer's clients. Members are told by the {@link pooledName} of their connections, and what each
 * has published by the name of one that it has to the console. Until it has published, that carries the member's name alone.
 * What is shared out is what it lets in: `max_client_conn`, and where there are any, its limits on the clients of a database or a user (https://www.pgbouncer.org/config.html). Where clients share server
 * connections, one instance has use for as many clients as there are servers for its pool, and not for more: those would
 * only wait there instead of here. In session mode each client takes a server, so that these are shared out, too.
 *
 * @returns undefined where the member is not seen: that console is not the one of what its connections lead to.
 * @throws {InvalidAnswerError} for a setting that holds what cannot be.
 */
export function readPoolerLook({ config, databases, clients }: PoolerLook, member: string): PoolerView | undefined {
  const admitted = clients.filter((client) => client.database !== PGBOUNCER_CONSOLE)
  const own = admitted.filter(({ applicationName }) => memberOf(applicationName) === member)
  const [first] = own
  if (!first) return undefined
  const { database, user } = first
  const rows: ActivityRow[] = admitted.map((client) => ({
    name: memberOf(client.applicationName) ?? '',
    role: client.user,
    ownRole: client.user === user,
    ownDatabase: client.database === database,
    readable: true,
    count: 1,
  }))
  const consoles = clients.filter((each) => each.database === PGBOUNCER_CONSOLE)
  for (const client of consoles) {
    const name = client.applicationName
    // Its console lets them in beyond max_client_conn, but they leave less of that to the others.
    rows.push({ name: '', ownRole: client.user === user, ownDatabase: false, readable: true, count: 1 })
    // Behind a member's connections, which show its limits; where it has none now, it may open them anywhere.
    if (parseMemberName(name)) rows.push({ name, ownRole: true, ownDatabase: true, readable: true, count: 0 })
  }
  rows.push(...consolesToCome(rows, consoles))
  const pooler = readPoolerCapacity({ config, databases, pools: [] }, database, user)
  const limit = (name: string) => pgBouncerSettingAsNumber(config, name) ?? 0
  const ofDatabase = databases.find(({ name }) => name === database)?.maxClientConnections ?? 0
  const ofUser = limit('max_user_client_connections')
  const limits: Limit[] = [{ label: 'max_client_conn leaves', usable: limit('max_client_conn'), holds: () => true }]
  if (ofDatabase > 0) {
    limits.push({ label: "the database's max_client_connections are", usable: ofDatabase, holds: inDatabase })
  }
  if (ofUser > 0) limits.push({ label: 'max_user_client_connections is', usable: ofUser, holds: ofRole })
  const servers = pooler ? poolerServers(pooler) : Infinity
  if (pooler?.mode === 'session') {
    const holds: Limit['holds'] = (each) => ofRole(each) && inDatabase(each)
    limits.push({ label: 'in session mode the pool has', usable: servers, holds })
  }
  return { limits: viewLimits(limits, rows), servedAtOnce: servers, own: own.length }
}

/** A member that is seen without a connection to the console is about to open one: its place must not be given away meanwhile. */
function consolesToCome(rows: readonly ActivityRow[], consoles: readonly PgBouncerClient[]): ActivityRow[] {
  const seen = new Set(consoles.map(({ applicationName }) => parseMemberName(applicationName)?.member))
  const missing = new Map<string, ActivityRow>()
  for (const row of rows) {
    const member = parseMemberName(row.name)?.member
    if (member !== undefined && !seen.has(member))
      missing.set(member, { ...row, name: '', ownDatabase: false, count: 1, awaited: member })
  }
  return [...missing.values()]
}

/** By either name: a connection may have been opened while a server was taken to be at the other end. */
export function memberOf(applicationName: string): string | undefined {
  return parsePooledName(applicationName) ?? parseMemberName(applicationName)?.member
}
