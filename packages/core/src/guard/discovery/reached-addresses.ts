import { normalizeTarget, parseConnectionString } from '../../connection-string/index.ts'
import { ProcessWide } from '../../process-wide.ts'

/** Beyond this limit, the oldest address is forgotten; the next failure there rejects its callers instead of letting them wait. */
const MAX_ADDRESSES = 1_000

const addresses = new ProcessWide('poolguard.reached.1', () => new Set<string>())

/** The hosts and ports of a connection string, in a normalized form; an invalid connection string unchanged. */
export function addressOf(target: string): string {
  try {
    return normalizeTarget(parseConnectionString(target))
      .hosts.map(({ host, port = 5432 }) => `${host}:${port}`)
      .join(',')
  } catch {
    return target
  }
}

/** Whether a server at this address has answered any pool since the process started. */
export function wasReached(address: string): boolean {
  return addresses.value.has(address)
}

export function rememberReached(address: string): void {
  const reached = addresses.value
  reached.add(address)
  const [oldest] = reached
  if (reached.size > MAX_ADDRESSES && oldest !== undefined) reached.delete(oldest)
}
