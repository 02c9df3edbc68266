import type { PgBouncerSocket } from '@poolguard/core/postgres'
import type { LocalProcess, PoolerClient, Session } from './session.ts'

/** PgBouncer's connections, from its console. */
export interface PoolerSockets {
  readonly clients: readonly PgBouncerSocket[]
  readonly servers: readonly PgBouncerSocket[]
  /** The processes of this machine among the clients, by the client's pointer. */
  readonly localProcesses: ReadonlyMap<string, LocalProcess>
}

/**
 * Attributes PgBouncer's server connections to the clients that use them: to PostgreSQL they all look like PgBouncer's. A
 * connection without a client stays PgBouncer's.
 */
export function attributePoolerClients(sessions: readonly Session[], pooler: PoolerSockets): readonly Session[] {
  const serverOf = new Map(pooler.servers.map((server) => [server.remotePid, server]))
  const clientOf = new Map(pooler.clients.map((client) => [client.pointer, client]))
  return sessions.map((session) => {
    const server = serverOf.get(session.pid)
    // The console may belong to a PgBouncer in front of another server, where the pid means another session.
    const client = server && server.user === session.role ? clientOf.get(server.link) : undefined
    if (!client) return session
    const { localProcess: _poolers, ...others } = session
    const localProcess = pooler.localProcesses.get(client.pointer)
    return {
      ...others,
      poolerClient: poolerClientOf(client, session.application),
      ...(localProcess && { localProcess }),
    }
  })
}

function poolerClientOf(client: PgBouncerSocket, application: string): PoolerClient {
  const isLocal = client.address === 'unix' || client.address === ''
  return {
    application: client.applicationName || application,
    address: isLocal ? null : client.address,
    port: isLocal ? null : client.port,
  }
}
