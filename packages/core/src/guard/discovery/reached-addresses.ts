import { parseConnectionString, settleTarget } from '../../connection-string/index.ts'

/** So many addresses are remembered; of more the oldest is forgotten, which costs one wait that would not have been. */
const MAX_ADDRESSES = 1_000

const KEY: unique symbol = Symbol.for('poolguard.reached.1')

/** On globalThis, so that two copies of this package in one process (ESM and CommonJS, say) share it. */
function addresses(): Set<string> {
  const holder = globalThis as { [KEY]?: Set<string> }
  holder[KEY] ??= new Set()
  return holder[KEY]
}

/** The hosts and ports of a connection string, in any spelling; a target that is none stands for itself. */
export function addressOf(target: string): string {
  try {
    return settleTarget(parseConnectionString(target))
      .hosts.map(({ host, port = 5432 }) => `${host}:${port}`)
      .join(',')
  } catch {
    return target
  }
}

/** Whether a server has answered at this address since the process started, to whichever pool. */
export function wasReached(address: string): boolean {
  return addresses().has(address)
}

export function rememberReached(address: string): void {
  const reached = addresses()
  reached.add(address)
  const [oldest] = reached
  if (reached.size > MAX_ADDRESSES && oldest !== undefined) reached.delete(oldest)
}
