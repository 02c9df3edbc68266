import { keepsSession, type Topology } from './topology.ts'

/**
 * What the rewriters of connection strings need of a verdict. What is not known counts as what is safe: an unknown other
 * end as a pooler that shares servers, any pooler as one that refuses startup parameters.
 */
export function topologyTraits(topology: Topology): TopologyTraits {
  return {
    sharesServers: !keepsSession(topology),
    preparedStatements: topology.preparedStatements,
    refusesStartupParameters: topology.kind !== 'direct',
  }
}

/**
 * What a rewriter must know of the other end of a connection string. Said in words of its own, because this folder comes
 * before the one that measures it. Where no traits are given nothing has been measured: startup parameters are then kept
 * and flags stay as they were written.
 */
export interface TopologyTraits {
  /** Whether consecutive transactions of one client may run on different server connections: transaction or statement mode. */
  readonly sharesServers: boolean
  /** Whether named prepared statements work as the client expects, as on PgBouncer >= 1.21 with max_prepared_statements > 0. */
  readonly preparedStatements: 'safe' | 'unsafe' | 'unknown'
  /** Whether a startup parameter other than the few that poolers keep track of is refused with 08P01, in any pool mode. */
  readonly refusesStartupParameters: boolean
}
