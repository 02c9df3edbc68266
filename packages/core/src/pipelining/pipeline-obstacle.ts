import { describeTopology, type Topology } from '../topology/index.ts'

/**
 * Why statements must not be sent behind others on a connection to this server or pooler; undefined if pipelining is proven to work:
 * PostgreSQL itself, and PgBouncer in every mode. Supavisor hangs (https://github.com/porsager/postgres/issues/970); RDS Proxy, PgCat
 * and Pgpool-II are not proven.
 *
 * @param isPgBouncer true if a pooler that does not report its name was identified as PgBouncer.
 */
export function pipelineObstacle(topology: Topology, isPgBouncer: boolean): string | undefined {
  if (topology.kind === 'direct') return undefined
  if (topology.kind === 'pooler' && (isPgBouncer || topology.pooler.name === 'PgBouncer')) return undefined
  const what =
    topology.kind === 'pooler' ? `${describeTopology(topology)}, and is not known to be PgBouncer` : 'unknown'
  return `the server of this pool is ${what}`
}
