import { ProcessWide } from '../process-wide.ts'
import type { Topology } from './topology.ts'

const known = new ProcessWide('poolguard.topologies.1', () => new Map<string, Topology>())

/**
 * Keeps a verdict for the other pools of this process that lead to the same peer. One that is not proven is not kept:
 * another look may prove it.
 *
 * @param peer host, port, database and user: poolers set their mode for each of these.
 */
export function rememberTopology(peer: string, topology: Topology): void {
  const proven = topology.kind === 'direct' || (topology.kind === 'pooler' && topology.pooler.proven)
  if (proven) known.value.set(peer, topology)
  else known.value.delete(peer)
}

/** The verdict of an earlier look at the same peer. */
export function recallTopology(peer: string): Topology | undefined {
  return known.value.get(peer)
}

/** What stands at the peer may have changed: the next pool looks again. */
export function forgetTopology(peer: string): void {
  known.value.delete(peer)
}
