import {
  PGBOUNCER_CONSOLE,
  readPgBouncerClients,
  readPgBouncerConfig,
  readPgBouncerDatabases,
} from '../../topology/index.ts'
import { showConfig, showDatabase } from '../../topology/testing/show-rows.ts'
import { trustClients } from '../client-trust.ts'
import type { FleetView } from '../fleet-view.ts'
import { viewPooler } from '../pooler-view.ts'
import type { ServerSession, SimulatedServer } from './simulated-server.ts'

export interface ConsoleExchange {
  readonly member: string
  /** If undefined, all roles are trusted. */
  readonly trustedRoles: readonly string[] | undefined
  /** The connection to the console that carries the last publication. */
  readonly publisher: ServerSession | undefined
  readonly decide: (view: FleetView) => string
  /** Waits for one way over the network. */
  readonly trip: () => Promise<void>
}

/** An exchange through PgBouncer's console, in the same steps as the real one, each with a delay. Returns the new publisher. */
export async function exchangeThroughConsole(
  server: SimulatedServer,
  session: ServerSession,
  { member, trustedRoles, publisher, decide, trip }: ConsoleExchange,
): Promise<ServerSession> {
  const kept = publisher && server.sessions.has(publisher) ? publisher : undefined
  const console = kept ?? (await openConsole(server, member, trip))
  let published: ServerSession | undefined
  try {
    const release = await server.lock(session)
    try {
      await trip()
      const view = viewThroughConsole(server, session, { member, trustedRoles })
      if (!view) throw new Error('the console does not show this instance')
      await trip()
      published = await openConsole(server, decide(view), trip)
    } finally {
      release()
    }
    return published
  } finally {
    if (!kept || published) void trip().then(() => server.end(console))
  }
}

async function openConsole(server: SimulatedServer, name: string, trip: () => Promise<void>): Promise<ServerSession> {
  await trip()
  const session = server.connect(name, () => {}, { database: PGBOUNCER_CONSOLE }) as ServerSession
  await trip()
  return session
}

/** Server connections do not limit the instances here. */
function viewThroughConsole(
  server: SimulatedServer,
  { role, database }: ServerSession,
  { member, trustedRoles }: Pick<ConsoleExchange, 'member' | 'trustedRoles'>,
) {
  const settings = { max_client_conn: server.maxConnections, pool_mode: 'transaction' }
  const rows = [...server.sessions].map((each) => ({
    database: each.database,
    user: each.role,
    application_name: each.name,
  }))
  const { clients } = trustClients(readPgBouncerClients(rows), {
    ...{ member, database, user: role, consoleUser: 'app' },
    trustedRoles: trustedRoles ?? rows.map(({ user }) => user),
  })
  return viewPooler(
    {
      config: readPgBouncerConfig(showConfig(settings)),
      databases: readPgBouncerDatabases([showDatabase({ name: 'app', pool_size: '1000' })]),
      clients,
    },
    member,
  )
}
