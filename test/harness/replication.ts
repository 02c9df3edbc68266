import { startPostgres } from './postgres.ts'
import type { PostgresOptions, PostgresServer } from './postgres-server.ts'
import { waitUntil } from './wait-until.ts'

export interface ReplicationOptions extends Omit<PostgresOptions, 'standbyOf' | 'maxConnections'> {
  /** Default 1. */
  readonly standbys?: number
}

/** A primary and the standbys that stream from it. */
export interface Replication extends AsyncDisposable {
  readonly primary: PostgresServer
  readonly standbys: readonly PostgresServer[]
  /** Resolves when every standby has replayed what the primary has written until now. */
  caughtUp(): Promise<void>
  /** Makes a standby a primary. Resolves when it accepts writes. */
  promote(standby: PostgresServer): Promise<void>
  /** Ends all servers and removes their data. */
  stop(): Promise<void>
}

/**
 * WAL is kept for a standby that starts late. A standby must allow as many processes as the cluster did when it was copied: the
 * defaults of PostgreSQL.
 */
const primarySettings = { wal_level: 'replica', max_wal_senders: 10, wal_keep_size: '64MB' }

/** Starts real streaming replication: a primary, and standbys that are read-only until they are promoted. */
export async function startReplication({
  standbys: count = 1,
  ...options
}: ReplicationOptions = {}): Promise<Replication> {
  const settings = { ...primarySettings, ...options.settings }
  const servers: PostgresServer[] = []
  const stop = async () => {
    // The standbys first: a primary waits for their connections to end.
    for (const server of servers.toReversed()) await server.stop('immediate')
  }
  try {
    const primary = await startPostgres({ ...options, settings })
    servers.push(primary)
    for (let started = 0; started < count; started++) {
      servers.push(await startPostgres({ ...options, settings, standbyOf: primary }))
    }
    return replicationOf(primary, servers.slice(1), stop)
  } catch (error) {
    await stop()
    throw error
  }
}

function replicationOf(
  primary: PostgresServer,
  standbys: readonly PostgresServer[],
  stop: () => Promise<void>,
): Replication {
  return {
    primary,
    standbys,
    async caughtUp() {
      // Not the LSN that is written: with synchronous_commit=off, a commit is written later.
      const [written] = await primary.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn')
      for (const standby of standbys) await untilReplayed(standby, written?.lsn ?? '')
    },
    async promote(standby) {
      await standby.query('SELECT pg_promote()')
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function untilReplayed(standby: PostgresServer, lsn: string): Promise<void> {
  const isReplayed = async () => {
    const [row] = await standby.query<{ done: boolean }>(
      'SELECT coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) AS done',
      [lsn],
    )
    return row?.done
  }
  await waitUntil(isReplayed, { what: 'the standby has replayed the WAL' })
}
