import {
  PGBOUNCER_CONSOLE,
  type PgBouncerDatabase,
  type PgBouncerPool,
  type PgBouncerSocket,
} from '@poolguard/core/postgres'
import type { PoolerFacts } from '../../database/read-pooler-facts.ts'
import type { LocalProcess } from '../../sessions/session.ts'

/** A client that holds a server connection of a pool. */
export interface Holder {
  readonly application: string
  readonly address: string
  readonly port: number
  /** Process id of the server's backend. */
  readonly pid: number
  /** Since its last request; null if the console does not say. */
  readonly quietSeconds: number | null
  /** For KILL_CLIENT; null before PgBouncer 1.24. */
  readonly clientId: number | null
  /** The client's process, if it runs on this machine. */
  readonly localProcess?: LocalProcess
}

/** One pool of PgBouncer, and what limits it. */
export interface PoolState {
  readonly pool: PgBouncerPool
  readonly database: PgBouncerDatabase | undefined
  /** Open server connections. */
  readonly servers: number
  /** Waiting clients, without those of poolguard's own commands. */
  readonly waiting: number
  /** Clients wait, and every server connection that the pool may have is in use. */
  readonly isFull: boolean
  /** Clients of this pool that hold a server connection, the quietest first. */
  readonly holders: readonly Holder[]
}

/** The pools of apps. */
export function poolStates(pooler: PoolerFacts): readonly PoolState[] {
  const now = latestRequest(pooler.clients)
  return pooler.pools
    .filter(({ database }) => database !== PGBOUNCER_CONSOLE)
    .map((pool) => {
      const database = pooler.databases.find(({ name }) => name === pool.database)
      const servers = serversOf(pool)
      const size = database?.poolSize ?? Number(pooler.config.get('default_pool_size')?.value ?? 20)
      return {
        pool,
        database,
        servers,
        waiting: Math.max(0, pool.clientsWaiting - ownWaiting(pooler, pool)),
        isFull: pool.clientsWaiting > 0 && pool.serversActive >= Math.max(1, size),
        holders: holdersOf(pooler, pool, now),
      }
    })
}

function serversOf(pool: PgBouncerPool): number {
  return pool.serversActive + pool.serversIdle + pool.serversUsed + pool.serversTested
}

function isIn(pool: PgBouncerPool): (socket: PgBouncerSocket) => boolean {
  return ({ database, user }) => database === pool.database && user === pool.user
}

/** Clients of earlier runs may still be in the queue: PgBouncer notices only later that they have left. */
function ownWaiting({ clients }: PoolerFacts, pool: PgBouncerPool): number {
  return clients
    .filter(isIn(pool))
    .filter(({ state, applicationName }) => state.startsWith('waiting') && applicationName.startsWith('poolguard '))
    .length
}

/** The console's own client has just sent a request, so this is PgBouncer's time. */
function latestRequest(clients: readonly PgBouncerSocket[]): number {
  return clients.reduce((latest, { requestedAtMillis }) => Math.max(latest, requestedAtMillis ?? 0), 0)
}

function holdersOf(
  { clients, servers, localProcesses }: PoolerFacts,
  pool: PgBouncerPool,
  now: number,
): readonly Holder[] {
  const byPointer = new Map(clients.map((client) => [client.pointer, client]))
  return servers
    .filter(isIn(pool))
    .filter(({ state, link }) => state === 'active' && link !== '')
    .flatMap(({ link, remotePid, applicationName, requestedAtMillis }) => {
      const client = byPointer.get(link)
      if (!client) return []
      const quietSeconds =
        requestedAtMillis === null ? null : Math.max(0, Math.round((now - requestedAtMillis) / 1_000))
      const application = client.applicationName || applicationName
      const localProcess = localProcesses.get(client.pointer)
      return [
        {
          ...{ application, address: client.address, port: client.port, pid: remotePid, quietSeconds },
          clientId: client.id,
          ...(localProcess && { localProcess }),
        },
      ]
    })
    .toSorted((a, b) => (b.quietSeconds ?? 0) - (a.quietSeconds ?? 0))
}
