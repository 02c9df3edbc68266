import { requireInteger } from '../invalid-option-error.ts'
import { BudgetError } from './budget-error.ts'
import type { PlanInput } from './plan-input.ts'
import { explainRefusal } from './plan-refusal.ts'
import { explainDemand, explainPooler, explainSupply } from './plan-steps.ts'
import { type PoolerCapacity, poolerServers, sharesServers } from './pooler-capacity.ts'
import { supplyOf } from './supply.ts'
import { surgeInstances } from './surge.ts'

/** How many connections each pool may have, and the calculation. */
export interface Budget {
  readonly maxPerPool: number
  /** For all pools and processes of one instance together. */
  readonly maxPerInstance: number
  /** Instances that run at the same time, including surge. */
  readonly instances: number
  /** All pools of all instances. */
  readonly pools: number
  readonly headroom: number
  /** Connections that the role may hold in addition to those of other applications: see `usableSlots`. */
  readonly usable: number
  /** The steps of the calculation, one line each. */
  readonly steps: readonly string[]
}

/**
 * Divides the connections that the database allows equally among a known number of pools. In transaction mode, a pooler owns
 * the server connections, and the pools divide the pooler's client connections; no pool gets more clients than the pooler has
 * server connections.
 *
 * @throws {BudgetError} if a pool would get less than one connection, or the pooler may open more connections than are available.
 * @throws {InvalidOptionError} for an invalid number.
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
  /** The connections or clients that the pools divide. */
  readonly connections: number
  readonly unit: 'connections' | 'clients'
  /** Upper bound for one pool. */
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
  return share > maxPerPool
    ? `${division}, of which the pooler serves no more than ${maxPerPool} at the same time`
    : division
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
