import { sizeByCores } from '@poolguard/core/postgres'

/** About as many connections as a server can keep busy, all pools together: 2 x cores + 1, as with `limit: 'cores'`. */
export function usefulConnections(cores: number): number {
  return sizeByCores({ cores, disks: 1 }).connections
}
