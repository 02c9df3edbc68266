import { type Capacity, serverLimits } from './capacity.ts'
import { describeMemoryCost } from './memory-cost.ts'
import type { PlanInput } from './plan-input.ts'
import { type PoolerCapacity, poolerServers, sharesServers } from './pooler-capacity.ts'
import { defaultHeadroom, type Supply } from './supply.ts'
import { surgeInstances } from './surge.ts'
import { NO_OTHERS } from './usage.ts'

/** Explains why the plan does not fit, with every number that the user can change and the value that fits. */
export function explainRefusal(input: PlanInput, supply: Supply, pools: number): string {
  const { pooler } = input
  const shared = pooler !== undefined && sharesServers(pooler)
  const servers = pooler ? poolerServers(pooler) : 0
  const tooManyServers = shared && servers > supply.toShare
  const raises = [
    ...serverRaises(input, supply.usable, shared ? Math.max(1, servers) : pools),
    ...(pooler ? poolerRaises(pooler, pools) : []),
  ]
  const advice = [
    ...(tooManyServers ? lowerServers(supply.toShare, raises) : fewerInstances(input, supply, pools)),
    ...lowerHeadroom(input, supply, pools),
    ...(pooler ? [] : ['put PgBouncer in front']),
    ...(raises.length > 0 ? [`raise ${raises.map(({ name, least }) => `${name} to ${least}`).join(' and ')}`] : []),
  ]
  const problem = tooManyServers
    ? `the pooler may open ${servers} connections, but only ${describeSupply(input, supply)} are available`
    : `${describeDemand(input, pools)} cannot share ${describeRoom(input, supply, servers)}`
  const sentences = [problem, joined(advice), ...memoryCost(input.capacity, raises)]
  return sentences.map((text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`).join(' ')
}

interface Raise {
  readonly name: string
  readonly least: number
}

/** Every limit of the server that is too low for `demand` connections, and the value it needs. */
function serverRaises(
  { capacity, others = NO_OTHERS, headroom, migrations = 0 }: PlanInput,
  usable: number,
  demand: number,
): Raise[] {
  const needed = leastUsable(usable, demand + migrations, headroom)
  return serverLimits(capacity, others)
    .map(({ name, value, kept }) => ({ name, value, least: needed + kept }))
    .filter(({ value, least }) => value < least)
}

/** The usable connections needed for `demand`. The default headroom grows with them, so one step may not be enough. */
function leastUsable(usable: number, demand: number, headroom: number | undefined): number {
  const short = demand - (usable - (headroom ?? defaultHeadroom(usable)))
  return short <= 0 ? usable : leastUsable(usable + short, demand, headroom)
}

function poolerRaises(pooler: PoolerCapacity, pools: number): Raise[] {
  const { maxClients, otherClients, poolSize, reservePoolSize, maxDbConnections, maxUserConnections } = pooler
  const clients = { name: 'max_client_conn', value: maxClients, least: pools + otherClients }
  const each = sharesServers(pooler) ? 1 : pools
  return [
    clients,
    { name: 'default_pool_size', value: poolSize, least: each - reservePoolSize },
    { name: 'max_db_connections', value: maxDbConnections ?? Infinity, least: each },
    { name: 'max_user_connections', value: maxUserConnections ?? Infinity, least: each },
  ].filter(({ value, least }) => value < least)
}

/** Lowering the pool size does not replace raising max_client_conn, so the advice includes both. */
function lowerServers(toShare: number, raises: readonly Raise[]): string[] {
  if (toShare < 1) return []
  const lower = `lower default_pool_size and reserve_pool_size to ${toShare} together`
  const clients = raises.find(({ name }) => name === 'max_client_conn')
  return [clients ? `${lower} and raise max_client_conn to ${clients.least}` : lower]
}

/** The largest number of instances that fits, and the largest surge for the planned instances. */
function fewerInstances(input: PlanInput, supply: Supply, pools: number): string[] {
  const { instances, maxSurge, processesPerInstance = 1, poolsPerProcess = 1 } = input
  const room = poolsThatFit(input, supply)
  if (room >= pools) return []
  const atOnce = Math.floor(room / (processesPerInstance * poolsPerProcess))
  const surge = surgeInstances(instances, maxSurge)
  let most = Math.min(instances, atOnce)
  while (most > 0 && most + surgeInstances(most, maxSurge) > atOnce) most--
  return [
    ...(most > 0 ? [`run at most ${most} ${most === 1 ? 'instance' : 'instances'}`] : []),
    ...(surge > 0 && atOnce >= instances ? [`deploy with a maxSurge of ${atOnce - instances}`] : []),
  ]
}

/** Applies if the user set the headroom and it takes the connections that the pools lack. */
function lowerHeadroom({ pooler, headroom, migrations = 0 }: PlanInput, { usable }: Supply, pools: number): string[] {
  const left = usable - migrations - pools
  return !pooler && headroom !== undefined && left >= 0 ? [`lower the headroom to ${left}`] : []
}

function poolsThatFit({ pooler }: PlanInput, { toShare }: Supply): number {
  if (!pooler) return Math.max(0, toShare)
  const clients = Math.max(0, pooler.maxClients - pooler.otherClients)
  if (sharesServers(pooler)) return poolerServers(pooler) > 0 ? clients : 0
  return Math.max(0, Math.min(clients, toShare, poolerServers(pooler)))
}

function describeDemand(
  { instances, maxSurge, processesPerInstance = 1, poolsPerProcess = 1 }: PlanInput,
  pools: number,
): string {
  const surge = surgeInstances(instances, maxSurge)
  const atOnce = instances + surge
  const counted = `${atOnce} ${atOnce === 1 ? 'instance' : 'instances'}${surge > 0 ? ` (${instances} + ${surge} surge)` : ''}`
  if (pools === atOnce) return counted
  const processes = processesPerInstance > 1 ? ` x ${processesPerInstance} processes` : ''
  return `${counted}${processes}${poolsPerProcess > 1 ? ` x ${poolsPerProcess} pools` : ''} = ${pools} pools`
}

function describeRoom(input: PlanInput, supply: Supply, servers: number): string {
  const { pooler } = input
  if (!pooler) return describeSupply(input, supply)
  const clients = `${Math.max(0, pooler.maxClients - pooler.otherClients)} clients of the pooler`
  if (sharesServers(pooler)) return servers > 0 ? clients : '0 servers of the pooler'
  const bounds = `${describeSupply(input, supply)}, ${servers} servers and ${clients}`
  return `${poolsThatFit(input, supply)} connections (${bounds})`
}

function describeSupply({ others = NO_OTHERS }: PlanInput, supply: Supply): string {
  const migrations = supply.migrations > 0 ? ` - ${supply.migrations} for migrations` : ''
  const held = others.connections > 0 ? `, other applications hold ${others.connections}` : ''
  return `${Math.max(0, supply.toShare)} connections (${supply.usable} usable - ${supply.headroom} headroom${migrations}${held})`
}

function joined(advice: readonly string[]): string {
  return advice.length < 2 ? advice.join('') : `${advice.slice(0, -1).join(', ')}, or ${advice.at(-1)}`
}

/** Only max_connections costs memory: the limits of roles and databases do not. */
function memoryCost({ maxConnections }: Capacity, raises: readonly Raise[]): string[] {
  const raise = raises.find(({ name }) => name === 'max_connections')
  return raise ? [describeMemoryCost(raise.least - maxConnections)] : []
}
