import { type PoolerAnswers, poolerServers, readPoolerCapacity } from '../budget/index.ts'
import { PGBOUNCER_CONSOLE, type PgBouncerClient, pgBouncerSettingAsNumber } from '../topology/index.ts'
import { type ActivityRow, type FleetView, inDatabase, type Limit, ofRole, viewLimits } from './fleet-view.ts'
import { parseMemberName } from './member-name.ts'
import { parsePooledName } from './pooled-name.ts'

/** The clients and limits that PgBouncer's console shows. */
export interface PoolerClients extends Omit<PoolerAnswers, 'pools'> {
  readonly clients: readonly PgBouncerClient[]
}

/** An instance's view of its fleet through the console. */
export interface PoolerView extends FleetView {
  /** Connections of this instance that the console shows. */
  readonly own: number
}

/**
 * Derives the view of a fleet from PgBouncer's clients. The {@link pooledName} of a connection identifies its instance, and the
 * name of an instance's connection to the console carries its publication; before the first publication, that name is the
 * instance's name alone. The instances share the clients that PgBouncer admits: `max_client_conn` and, if set, its client limits
 * for a database or a user (https://www.pgbouncer.org/config.html). In transaction mode one instance can use only as many clients as its pool has
 * server connections: additional clients would wait in PgBouncer instead of in the pool. In session mode each client occupies a
 * server connection, so the instances share these, too.
 *
 * @returns undefined if the console does not show this instance, because it belongs to another PgBouncer.
 * @throws {InvalidAnswerError} for an invalid setting.
 */
export function viewPooler({ config, databases, clients }: PoolerClients, member: string): PoolerView | undefined {
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
    // PgBouncer admits console clients beyond max_client_conn, but they count towards it for all other clients.
    rows.push({ name: '', ownRole: client.user === user, ownDatabase: false, readable: true, count: 1 })
    // The connections of the instance show which limits apply to it. With none open now, it may open them under any limit.
    if (parseMemberName(name)) rows.push({ name, ownRole: true, ownDatabase: true, readable: true, count: 0 })
  }
  rows.push(...awaitedConsoles(rows, consoles))
  const pooler = readPoolerCapacity({ config, databases, pools: [] }, database, user)
  const limit = (name: string) => pgBouncerSettingAsNumber(config, name) ?? 0
  const ofDatabase = databases.find(({ name }) => name === database)?.maxClientConnections ?? 0
  const ofUser = limit('max_user_client_connections')
  const limits: Limit[] = [{ label: 'max_client_conn leaves', usable: limit('max_client_conn'), appliesTo: () => true }]
  if (ofDatabase > 0) {
    limits.push({ label: "the database's max_client_connections are", usable: ofDatabase, appliesTo: inDatabase })
  }
  if (ofUser > 0) limits.push({ label: 'max_user_client_connections is', usable: ofUser, appliesTo: ofRole })
  const servers = pooler ? poolerServers(pooler) : Infinity
  if (pooler?.mode === 'session') {
    const appliesTo: Limit['appliesTo'] = (each) => ofRole(each) && inDatabase(each)
    limits.push({ label: 'in session mode the pool has', usable: servers, appliesTo })
  }
  return { limits: viewLimits(limits, rows), servedAtOnce: servers, own: own.length }
}

/** An instance without a connection to the console is about to open one: no other instance may take its slot meanwhile. */
function awaitedConsoles(rows: readonly ActivityRow[], consoles: readonly PgBouncerClient[]): ActivityRow[] {
  const seen = new Set(consoles.map(({ applicationName }) => parseMemberName(applicationName)?.member))
  const missing = new Map<string, ActivityRow>()
  for (const row of rows) {
    const member = parseMemberName(row.name)?.member
    if (member !== undefined && !seen.has(member))
      missing.set(member, { ...row, name: '', ownDatabase: false, count: 1, awaited: member })
  }
  return [...missing.values()]
}

/** Accepts both kinds of names: an instance may open connections before it knows about the pooler. */
export function memberOf(applicationName: string): string | undefined {
  return parsePooledName(applicationName) ?? parseMemberName(applicationName)?.member
}
