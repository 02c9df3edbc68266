import { type Capacity, serverLimits } from './capacity.ts'
import { describeMemoryCost } from './memory-cost.ts'
import type { PlanInput } from './plan-input.ts'
import { type PoolerCapacity, poolerServers, sharesServers } from './pooler-capacity.ts'
import { defaultHeadroom, type Supply } from './supply.ts'
import { surgeInstances } from './surge.ts'
import { NO_OTHERS } from './usage.ts'

/** What does not fit, and every number that could be changed so that it does. */
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
    ? `the pooler may open ${servers} connections, and there are ${describeSupply(input, supply)} to share`
    : `${describeDemand(input, pools)} cannot share ${describeRoom(input, supply, servers)}`
  const sentences = [problem, joined(advice), ...memoryCost(input.capacity, raises)]
  return sentences.map((text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`).join(' ')
}

interface Raise {
  readonly name: string
  readonly least: number
}

/** Every limit of the server that does not let so many through, and what it would have to be. */
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

/** What would have to be usable for one connection each. The headroom may grow with it, so one step is not always enough. */
function leastUsable(usable: number, demand: number, wished: number | undefined): number {
  const short = demand - (usable - (wished ?? defaultHeadroom(usable)))
  return short <= 0 ? usable : leastUsable(usable + short, demand, wished)
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

/** The pooler's own limits have to be raised either way. */
function lowerServers(toShare: number, raises: readonly Raise[]): string[] {
  if (toShare < 1) return []
  const lower = `lower default_pool_size and reserve_pool_size to ${toShare} together`
  const clients = raises.find(({ name }) => name === 'max_client_conn')
  return [clients ? `${lower} and raise max_client_conn to ${clients.least}` : lower]
}

/** The most instances that fit, and the most surge for those that were asked for. */
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

/** Where the headroom was wished for, and is what the pools lack. */
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
  const held = others.connections > 0 ? `, others hold ${others.connections}` : ''
  return `${Math.max(0, supply.toShare)} connections (${supply.usable} usable - ${supply.headroom} headroom${migrations}${held})`
}

function joined(advice: readonly string[]): string {
  return advice.length < 2 ? advice.join('') : `${advice.slice(0, -1).join(', ')}, or ${advice.at(-1)}`
}

/** A limit of a role or a database costs nothing; more slots of the server do. */
function memoryCost({ maxConnections }: Capacity, raises: readonly Raise[]): string[] {
  const raise = raises.find(({ name }) => name === 'max_connections')
  return raise ? [describeMemoryCost(raise.least - maxConnections)] : []
}
