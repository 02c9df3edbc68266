import { requireInteger } from '../invalid-option-error.ts'
import { BudgetError } from './budget-error.ts'
import type { PlanInput } from './plan-input.ts'
import { explainRefusal } from './plan-refusal.ts'
import { explainDemand, explainPooler, explainSupply } from './plan-steps.ts'
import { type PoolerCapacity, poolerServers, sharesServers } from './pooler-capacity.ts'
import { supplyOf } from './supply.ts'
import { surgeInstances } from './surge.ts'

/** How many connections each pool may have, and how that was worked out. */
export interface Budget {
  readonly maxPerPool: number
  /** All pools of all processes of one instance together. */
  readonly maxPerInstance: number
  /** All that run at the same time, surge included. */
  readonly instances: number
  /** All pools of all of them. */
  readonly pools: number
  readonly headroom: number
  /** What the role may hold at all beside others: see `usableSlots`. */
  readonly usable: number
  /** The arithmetic, a line each, to be shown to whoever asks why. */
  readonly steps: readonly string[]
}

/**
 * Shares what the database can give equally among a known number of pools. Behind a pooler that shares its servers, the
 * server's connections are the pooler's, and the pools share what clients it admits: but no pool gets more of those than
 * there are servers to use at once.
 *
 * @throws {BudgetError} where a pool would get less than one connection, or the pooler opens more than there are to share.
 * @throws {InvalidOptionError} for a number that makes no sense.
 * @example
 * planBudget({ capacity, instances: 6 }).maxPerPool // (20 - 3 reserved - 3 headroom) / 6 = 2
 * planBudget({ capacity, instances: 4, maxSurge: '25%', poolsPerProcess: 2 }).steps
 */
export function planBudget(input: PlanInput): Budget {
  validate(input)
  const { processesPerInstance = 1, poolsPerProcess = 1, pooler } = input
  const supply = supplyOf(input)
  const instances = input.instances + surgeInstances(input.instances, input.maxSurge)
  const perInstance = processesPerInstance * poolsPerProcess
  const pools = instances * perInstance
  const room = roomFor(supply.toShare, pooler)
  const maxPerPool = Math.min(Math.floor(room.connections / pools), room.ceiling)
  if (maxPerPool < 1) throw new BudgetError(explainRefusal(input, supply, pools))
  return {
    maxPerPool,
    maxPerInstance: maxPerPool * perInstance,
    instances,
    pools,
    headroom: supply.headroom,
    usable: supply.usable,
    steps: [
      ...explainSupply(input, supply),
      ...explainPooler(supply.toShare, pooler),
      ...explainDemand(input, instances, pools),
      explainShare(room, pools, maxPerPool, perInstance > 1),
    ],
  }
}

interface Room {
  /** What the pools divide among themselves. */
  readonly connections: number
  readonly unit: 'connections' | 'clients'
  /** No pool can use more. */
  readonly ceiling: number
}

function roomFor(toShare: number, pooler: PoolerCapacity | undefined): Room {
  if (!pooler) return { connections: toShare, unit: 'connections', ceiling: Infinity }
  const servers = poolerServers(pooler)
  const clients = pooler.maxClients - pooler.otherClients
  if (!sharesServers(pooler)) {
    return { connections: Math.min(toShare, servers, clients), unit: 'connections', ceiling: Infinity }
  }
  return { connections: servers > toShare ? 0 : clients, unit: 'clients', ceiling: servers }
}

function explainShare(room: Room, pools: number, maxPerPool: number, manyPools: boolean): string {
  const what = manyPools ? 'pools' : 'instances'
  const share = Math.floor(room.connections / pools)
  const division = `${room.connections} ${room.unit === 'clients' ? 'clients ' : ''}/ ${pools} ${what} = ${share} each`
  return share > maxPerPool ? `${division}, of which no more than ${maxPerPool} could be served at once` : division
}

function validate(input: PlanInput): void {
  requireInteger('instances', input.instances, 1)
  for (const option of ['processesPerInstance', 'poolsPerProcess'] as const) {
    if (input[option] !== undefined) requireInteger(option, input[option], 1)
  }
  for (const option of ['headroom', 'migrations'] as const) {
    if (input[option] !== undefined) requireInteger(option, input[option], 0)
  }
}
