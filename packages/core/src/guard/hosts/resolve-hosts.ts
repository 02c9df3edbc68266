import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { withTimeout } from '../../clock.ts'
import type { ServerAddress } from './host-plan.ts'

/** A name server that takes longer does not delay the other hosts. */
const LOOKUP_TIMEOUT_MILLIS = 1_000

/** Identifies a server: two names for the same address are the same server. */
export function keyOf({ host, port, address }: ServerAddress): string {
  return `${address ?? host}:${port}`
}

/** As in "db-1:5432", or "db:5432 (10.0.0.2)" if the name has been resolved. */
export function describeServer({ host, port, address }: ServerAddress): string {
  return address === undefined || address === host ? `${host}:${port}` : `${host}:${port} (${address})`
}

/**
 * Resolves the names of servers to all their addresses, again for each connection, because a name may follow the primary. If the
 * lookup fails, the addresses found last count.
 */
export class HostResolver {
  readonly #known = new Map<string, readonly string[]>()

  /** A name that does not resolve stays a name: connecting to it fails with the reason. */
  async resolve(servers: readonly ServerAddress[]): Promise<readonly ServerAddress[]> {
    const resolved = await Promise.all(servers.map((server) => this.#resolve(server)))
    return resolved.flat()
  }

  async #resolve(server: ServerAddress): Promise<readonly ServerAddress[]> {
    const { host, address } = server
    if (address !== undefined || isIP(host) || host.startsWith('/')) return [server]
    const addresses = await this.#lookup(host)
    return addresses.length === 0 ? [server] : addresses.map((found) => ({ ...server, address: found }))
  }

  async #lookup(host: string): Promise<readonly string[]> {
    try {
      const late = () => new Error(`the name ${host} was not resolved in time`)
      const found = await withTimeout(lookup(host, { all: true }), LOOKUP_TIMEOUT_MILLIS, late)
      const addresses = [...new Set(found.map(({ address }) => address))]
      this.#known.set(host, addresses)
      return addresses
    } catch {
      return this.#known.get(host) ?? []
    }
  }
}
