import type { Topology } from './topology.ts'

const KEY: unique symbol = Symbol.for('poolguard.topologies.1')

/** On globalThis, so that two copies of this package in one process (ESM and CommonJS, say) share it. */
function known(): Map<string, Topology> {
  const holder = globalThis as { [KEY]?: Map<string, Topology> }
  holder[KEY] ??= new Map()
  return holder[KEY]
}

/**
 * Keeps a verdict for the other pools of this process that lead to the same peer. One that is not proven is not kept:
 * another look may prove it.
 *
 * @param peer host, port, database and user: poolers set their mode for each of these.
 */
export function rememberTopology(peer: string, topology: Topology): void {
  const proven = topology.kind === 'direct' || (topology.kind === 'pooler' && topology.pooler.proven)
  if (proven) known().set(peer, topology)
  else known().delete(peer)
}

/** The verdict of an earlier look at the same peer. */
export function recallTopology(peer: string): Topology | undefined {
  return known().get(peer)
}

/** What stands at the peer may have changed: the next pool looks again. */
export function forgetTopology(peer: string): void {
  known().delete(peer)
}
