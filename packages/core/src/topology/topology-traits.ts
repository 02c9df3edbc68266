import type { TopologyTraits } from '../connection-string/index.ts'
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
