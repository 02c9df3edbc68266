import { describeTopology, type Topology } from '../topology/index.ts'

/** A pooler that does not report its name, and was identified in another way. */
export interface KnownPooler {
  readonly isPgBouncer?: boolean | undefined
  /** The version of a Pgpool-II that looks like PostgreSQL. */
  readonly pgpool?: string | undefined
}

/**
 * Why statements must not be sent behind others on a connection to this server or pooler; undefined if pipelining is proven to work:
 * PostgreSQL itself, and PgBouncer in every mode. Supavisor hangs (https://github.com/porsager/postgres/issues/970); RDS Proxy, PgCat
 * and Pgpool-II are not proven.
 */
export function pipelineObstacle(topology: Topology, { isPgBouncer = false, pgpool }: KnownPooler): string | undefined {
  if (topology.kind === 'direct') return pgpool && `Pgpool-II ${pgpool} is between this pool and its server`
  if (topology.kind === 'pooler' && (isPgBouncer || topology.pooler.name === 'PgBouncer')) return undefined
  const what =
    topology.kind === 'pooler' ? `${describeTopology(topology)}, and is not known to be PgBouncer` : 'unknown'
  return `the server of this pool is ${what}`
}
