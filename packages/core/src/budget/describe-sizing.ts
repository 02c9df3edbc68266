import type { Budget } from './plan.ts'
import type { Sizing } from './sizing.ts'

const NAMES: Readonly<Record<Sizing['method'], string>> = {
  'littles-law': "Little's law",
  'busy-ratio': "Cybertec's formula",
  cores: "HikariCP's formula",
  'pool-locking': "HikariCP's minimum against pool locking",
}

/** The methods whose result is for one pool; the other results are for all pools together. */
const FOR_ONE_POOL: ReadonlySet<Sizing['method']> = new Set(['pool-locking'])

/**
 * Compares a plan with the connections that the load needs and that the server can use, in sentences with the user's own
 * numbers: whether the plan is too small, or so large that more connections do not help.
 */
export function describeSizing({ maxPerPool, pools }: Budget, sizings: readonly Sizing[]): readonly string[] {
  return sizings.flatMap((sizing) => {
    const name = NAMES[sizing.method]
    const single = FOR_ONE_POOL.has(sizing.method)
    const planned = single ? maxPerPool : maxPerPool * pools
    const plan = single ? `a pool of ${planned}` : `${planned} (${pools} pools of ${maxPerPool})`
    const line = `${name}: ${sizing.formula}${single ? ' for each pool' : ' for all pools together'}. ${sizing.source}`
    return [line, `  ${verdict(sizing, planned, plan)}`]
  })
}

function verdict({ bound, connections, method }: Sizing, planned: number, plan: string): string {
  if (bound === 'most') {
    return planned > connections
      ? `The plan allows ${plan}: more than the server can use. With more than ${connections} busy connections, queries wait for the server's cores and disks instead of for the pool, and hold their locks while they wait.`
      : `The plan allows ${plan}, which the server can keep busy.`
  }
  if (planned >= connections) return `The plan allows ${plan}, which is enough.`
  return method === 'pool-locking'
    ? `The plan allows ${plan}: too few. All requests can hold one connection and wait for another. Lower the concurrency, or use one connection per request.`
    : `The plan allows ${plan}: too few for this load. Hold connections for a shorter time, or raise the limit named above.`
}
