import { normalizeTarget, parseConnectionString } from '../../connection-string/index.ts'
import { ProcessWide } from '../../process-wide.ts'

/** So many addresses are remembered; of more the oldest is forgotten, which costs one wait that would not have been. */
const MAX_ADDRESSES = 1_000

const addresses = new ProcessWide('poolguard.reached.1', () => new Set<string>())

/** The hosts and ports of a connection string, in any spelling; a target that is none stands for itself. */
export function addressOf(target: string): string {
  try {
    return normalizeTarget(parseConnectionString(target))
      .hosts.map(({ host, port = 5432 }) => `${host}:${port}`)
      .join(',')
  } catch {
    return target
  }
}

/** Whether a server has answered at this address since the process started, to whichever pool. */
export function wasReached(address: string): boolean {
  return addresses.value.has(address)
}

export function rememberReached(address: string): void {
  const reached = addresses.value
  reached.add(address)
  const [oldest] = reached
  if (reached.size > MAX_ADDRESSES && oldest !== undefined) reached.delete(oldest)
}
