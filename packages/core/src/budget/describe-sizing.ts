import type { Budget } from './plan.ts'
import type { Sizing } from './sizing.ts'

const NAMES: Readonly<Record<Sizing['method'], string>> = {
  'littles-law': "Little's law",
  'busy-ratio': "Cybertec's formula",
  cores: "HikariCP's formula",
  'pool-locking': "HikariCP's minimum against pool locking",
}

/** Whether a number is for one pool, or for all of them together. */
const FOR_ONE_POOL: ReadonlySet<Sizing['method']> = new Set(['pool-locking'])

/**
 * What a plan's number is worth beside what the load needs and the server can use, in sentences with the user's own
 * numbers: whether it is too small, and where bigger is not better.
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
      ? `The plan allows ${plan}: bigger is not better here. Beyond ${connections} at work, queries wait for the server's cores and disks instead of for the pool, and hold their locks meanwhile.`
      : `The plan allows ${plan}, which the server can keep at work.`
  }
  if (planned >= connections) return `The plan allows ${plan}, which is enough.`
  return method === 'pool-locking'
    ? `The plan allows ${plan}: too few. All of them can hold one connection and wait for another; lower the concurrency, or take one connection each.`
    : `The plan allows ${plan}: too few for this load. Hold connections for a shorter time, or see above which limit to raise.`
}
