import { keepsSession, type Topology } from './topology.ts'

/**
 * The traits of a topology for the rewriters of connection strings. Unknown traits get the safe value: an unknown
 * topology counts as a pooler that shares servers, and every pooler as one that rejects startup parameters.
 */
export function topologyTraits(topology: Topology): TopologyTraits {
  return {
    sharesServers: !keepsSession(topology),
    preparedStatements: topology.preparedStatements,
    refusesStartupParameters: topology.kind !== 'direct',
  }
}

/**
 * The traits of a topology that rewriters of connection strings use. Without traits, nothing has been detected: a rewriter then
 * keeps startup parameters and flags unchanged.
 */
export interface TopologyTraits {
  /** Whether consecutive transactions of one client may run on different server connections: transaction or statement mode. */
  readonly sharesServers: boolean
  /** Whether named prepared statements work as the client expects, as on PgBouncer >= 1.21 with max_prepared_statements > 0. */
  readonly preparedStatements: 'safe' | 'unsafe' | 'unknown'
  /** Whether the pooler rejects startup parameters with 08P01, except the few that it tracks, in any pool mode. */
  readonly refusesStartupParameters: boolean
}
