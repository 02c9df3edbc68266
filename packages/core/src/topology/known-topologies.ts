import { ProcessWide } from '../process-wide.ts'
import type { Topology } from './topology.ts'

const known = new ProcessWide('poolguard.topologies.1', () => new Map<string, Topology>())

/**
 * Caches a proven topology for other pools of this process with the same peer. Removes the entry if the topology is not proven,
 * because the next detection may prove it.
 *
 * @param peer host, port, database and user: poolers configure their mode for each of these.
 */
export function rememberTopology(peer: string, topology: Topology): void {
  const proven = topology.kind === 'direct' || (topology.kind === 'pooler' && topology.pooler.proven)
  if (proven) known.value.set(peer, topology)
  else known.value.delete(peer)
}

/** The cached topology of the peer. */
export function recallTopology(peer: string): Topology | undefined {
  return known.value.get(peer)
}

/** Removes the cached topology when it may have changed: the next pool detects it again. */
export function forgetTopology(peer: string): void {
  known.value.delete(peer)
}
