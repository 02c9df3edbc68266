import { BudgetError, type Capacity, connectionsOfOthers, planBudget, surgeInstances } from '@poolguard/core/postgres'
import { connectionsPerProcess } from '../connections-per-process.ts'
import { type Facts, usesPoolguard, usesTransactionPooler } from '../facts.ts'
import type { Rule } from '../rule.ts'

export const poolsExceedCapacity: Rule = {
  id: 'pools-exceed-capacity',
  title: 'All pools together may open more connections than the server allows',
  severity: 'critical',
  check: (facts) => {
    const fleet = fleetOf(facts)
    const max = connectionsPerProcess(facts)
    const capacity = facts.server?.capacity ?? composeCapacity(facts)
    if (!fleet || !max || !capacity || usesTransactionPooler(facts) || usesPoolguard(facts)) return []
    const others = facts.server && connectionsOfOthers(facts.server.usage)
    const input = { capacity, others, instances: fleet.instances, maxSurge: fleet.surge, poolsPerProcess: max.pools }
    const advice = adviceFor(input, max.value / max.pools)
    if (advice === undefined) return []
    const atOnce = fleet.instances + fleet.surge
    return [
      {
        evidence: `${fleet.source}: ${atOnce} at once${fleet.surge > 0 ? ' during a deploy' : ''} x ${max.text} = ${atOnce * max.value}, and max_connections is ${capacity.maxConnections}.`,
        why: 'It works until all pools are busy at the same time; then the server rejects connections with "too many clients already".',
        change: advice,
        data: {
          instances: fleet.instances,
          surge: fleet.surge,
          max: max.value,
          connections: atOnce * max.value,
          maxConnections: capacity.maxConnections,
        },
      },
    ]
  },
}

function adviceFor(input: Parameters<typeof planBudget>[0], max: number): string | undefined {
  try {
    const { maxPerPool, steps } = planBudget(input)
    return maxPerPool < max ? `Set max to ${maxPerPool}: ${steps.join('; ')}.` : undefined
  } catch (error) {
    if (error instanceof BudgetError) return error.message
    throw error
  }
}

function fleetOf({
  instances,
  maxSurge,
  project,
}: Facts): { instances: number; surge: number; source: string } | undefined {
  if (instances !== undefined) {
    return { instances, surge: surgeInstances(instances, maxSurge), source: `${instances} instances` }
  }
  const apps = project.compose?.apps ?? []
  const count = apps.reduce((sum, { replicas }) => sum + replicas, 0)
  if (count === 0) return undefined
  const names = apps.map(({ name, replicas }) => `${name} x ${replicas}`).join(', ')
  const surge = apps.reduce((sum, app) => sum + app.surge, 0)
  return { instances: count, surge, source: `${project.compose?.file} (${names})` }
}

/** superuser_reserved_connections is 3 by default. */
function composeCapacity({ project }: Facts): Capacity | undefined {
  const maxConnections = project.compose?.maxConnections
  if (maxConnections === undefined) return undefined
  return {
    maxConnections,
    reserved: 3,
    roleLimit: null,
    databaseLimit: null,
    used: 0,
    usedByRole: 0,
    usedByDatabase: 0,
  }
}
