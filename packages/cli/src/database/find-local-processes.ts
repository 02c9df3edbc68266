import { lookup } from 'node:dns/promises'
import type { LocalProcess } from '../sessions/session.ts'
import { type Endpoint, openSockets, ownersOf } from './proc-sockets.ts'

/** The connections of one process of this machine to a server. */
export interface LocalHolder extends LocalProcess {
  readonly address: string
  readonly ports: readonly number[]
}

/** A key for {@link findLocalProcesses}. */
export function endpointKey({ address, port }: Endpoint): string {
  return `${address} ${port}`
}

/**
 * The processes of this machine that hold the given client ends of connections. An address can mean another machine to the
 * server than to this one: compare the result for the caller's own connection.
 */
export function findLocalProcesses(endpoints: readonly Endpoint[]): ReadonlyMap<string, LocalProcess> {
  const wanted = new Set(endpoints.map(endpointKey))
  const sockets = openSockets().filter(({ local }) => wanted.has(endpointKey(local)))
  const owners = ownersOf(new Set(sockets.map(({ inode }) => inode)))
  return new Map(
    sockets.flatMap(({ local, inode }) => {
      const owner = owners.get(inode)
      return owner ? [[endpointKey(local), owner] as const] : []
    }),
  )
}

/** The processes of this machine with connections to a server, the one with the most first; this process is not among them. */
export async function findLocalHolders(host: string, port: number): Promise<readonly LocalHolder[]> {
  const addresses = new Set((await lookup(host, { all: true }).catch(() => [])).map(({ address }) => address))
  const sockets = openSockets().filter(({ remote }) => remote.port === port && addresses.has(remote.address))
  const owners = ownersOf(new Set(sockets.map(({ inode }) => inode)))
  const holders = new Map<string, LocalHolder>()
  for (const { local, inode } of sockets) {
    const owner = owners.get(inode)
    if (!owner || owner.pid === process.pid) continue
    const key = `${owner.pid} ${local.address}`
    holders.set(key, { ...owner, address: local.address, ports: [...(holders.get(key)?.ports ?? []), local.port] })
  }
  return [...holders.values()].sort((a, b) => b.ports.length - a.ports.length)
}
