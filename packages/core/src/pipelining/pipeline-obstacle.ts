import { describeTopology, type Topology } from '../topology/index.ts'

/** A pooler that does not report its name, and was identified in another way. */
export interface KnownPooler {
  readonly isPgBouncer?: boolean | undefined
  /** The version of a Pgpool-II that looks like PostgreSQL. */
  readonly pgpool?: string | undefined
}

const OLD_PGBOUNCER =
  'the PgBouncer of this pool does not report its version (1.26 and later do) and follows no prepared statements, so it may be older than 1.21, which gives answers to the wrong client'

/**
 * Why statements must not be sent behind others on a connection to this server or pooler; undefined if pipelining is proven to work:
 * PostgreSQL itself, and PgBouncer from 1.21 on. PgBouncer 1.18 lends a server connection again although answers for a client that has left
 * are outstanding, so that another client gets them. Supavisor hangs (https://github.com/porsager/postgres/issues/970); RDS Proxy, PgCat
 * and Pgpool-II are not proven.
 */
export function pipelineObstacle(topology: Topology, { isPgBouncer = false, pgpool }: KnownPooler): string | undefined {
  if (topology.kind === 'direct') return pgpool && `Pgpool-II ${pgpool} is between this pool and its server`
  if (topology.kind === 'pooler' && topology.pooler.name === 'PgBouncer') return undefined
  if (topology.kind === 'pooler' && isPgBouncer) {
    // It follows prepared statements from 1.21 on.
    return topology.preparedStatements === 'safe' ? undefined : OLD_PGBOUNCER
  }
  const what =
    topology.kind === 'pooler' ? `${describeTopology(topology)}, and is not known to be PgBouncer` : 'unknown'
  return `the server of this pool is ${what}`
}
