import { serverLimits } from './capacity.ts'
import type { PlanInput } from './plan-input.ts'
import { type PoolerCapacity, poolerServers } from './pooler-capacity.ts'
import type { Supply } from './supply.ts'
import { NO_OTHERS } from './usage.ts'

export function explainSupply({ capacity, others = NO_OTHERS }: PlanInput, supply: Supply): string[] {
  const { usable, headroom, migrations, toShare } = supply
  const less = [`${headroom} headroom`, ...(migrations > 0 ? [`${migrations} for migrations`] : [])].join(' - ')
  const [server, ...limits] = serverLimits(capacity, others)
  const ofOthers = (kept: number) => (kept > 0 ? ` - ${kept} used by others` : '')
  return [
    `max_connections ${capacity.maxConnections} - ${capacity.reserved} reserved${ofOthers(others.connections)} = ${(server?.value ?? 0) - (server?.kept ?? 0)}`,
    ...limits
      .filter(({ value, kept }) => value - kept === usable)
      .map(({ name, value, kept }) =>
        kept > 0 ? `${name} ${value}${ofOthers(kept)} = ${usable}` : `${name} allows ${value}`,
      ),
    `${usable} usable - ${less} = ${toShare} to share`,
  ]
}

export function explainPooler(toShare: number, pooler: PoolerCapacity | undefined): string[] {
  if (!pooler) return []
  const { mode, maxClients, otherClients, poolSize, reservePoolSize, maxDbConnections, maxUserConnections } = pooler
  const servers = poolerServers(pooler)
  const bounds = [
    ...(maxDbConnections === servers ? [`max_db_connections ${maxDbConnections}`] : []),
    ...(maxUserConnections === servers ? [`max_user_connections ${maxUserConnections}`] : []),
  ]
  const sum = reservePoolSize > 0 ? `pool size ${poolSize} + ${reservePoolSize} reserve` : `pool size ${poolSize}`
  const bound = bounds.length > 0 ? `, held to ${servers} by ${bounds.join(' and ')}` : ''
  return [
    `the pooler opens at most ${servers} of those ${toShare} (${sum}${bound}), in ${mode} mode`,
    `max_client_conn ${maxClients}${otherClients > 0 ? ` - ${otherClients} other clients` : ''} = ${maxClients - otherClients} clients`,
  ]
}

export function explainDemand(input: PlanInput, instances: number, pools: number): string[] {
  const { processesPerInstance = 1, poolsPerProcess = 1, maxSurge = 0 } = input
  const steps: string[] = []
  if (instances > input.instances) {
    const share = typeof maxSurge === 'string' ? ` (${maxSurge})` : ''
    const surge = instances - input.instances
    steps.push(`${input.instances} instances + ${surge} surge${share} = ${instances} at once during a deploy`)
  }
  if (pools > instances) {
    const processes = processesPerInstance > 1 ? ` x ${processesPerInstance} processes` : ''
    const each = poolsPerProcess > 1 ? ` x ${poolsPerProcess} pools` : ''
    steps.push(`${instances} instances${processes}${each} = ${pools} pools`)
  }
  return steps
}
