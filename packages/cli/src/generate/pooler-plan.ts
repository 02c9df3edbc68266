import type { Budget } from '@poolguard/core'
import { BudgetError, type PlanInput, type PoolerCapacity, planBudget, surgeInstances } from '@poolguard/core/postgres'

/** Sizes of a PgBouncer in transaction mode that is to stand in front of a server, and what each pool may have then. */
export interface PoolerPlan {
  readonly maxClients: number
  readonly poolSize: number
  readonly reservePoolSize: number
  readonly maxDbConnections: number
  /** The plan behind that PgBouncer. */
  readonly budget: Budget
}

/** What is left is for those who go past the pooler: people, migrations, replication. Also what `doctor` judges by. */
const SHARE = 0.7
/** PgBouncer's own, which looks up passwords. */
const LOOKUPS = 1
const RESERVE_SHARE = 0.1
/** pg's default: less makes an app wait in its own pool though PgBouncer has room. */
const MIN_PER_POOL = 10
/** So that a pool may use what others leave: a client without a transaction costs PgBouncer some kilobytes. */
const OVERBOOKING = 2
const MIN_SLACK = 10

/**
 * Plans a pooler for what a server can give: its connections stay within what there is to share and within 70 % of
 * max_connections, and each pool gets twice its even part of them, ten at least.
 *
 * @throws {BudgetError} where there are not two connections for it.
 */
export function planPooler(input: PlanInput): PoolerPlan {
  const { capacity, instances, maxSurge, processesPerInstance = 1, poolsPerProcess = 1 } = input
  // What a single pool would get is all that there is to share.
  const { maxPerPool: toShare } = planBudget({
    ...input,
    pooler: undefined,
    instances: 1,
    maxSurge: 0,
    processesPerInstance: 1,
    poolsPerProcess: 1,
  })
  const maxDbConnections = Math.min(toShare, Math.floor(capacity.maxConnections * SHARE))
  if (maxDbConnections <= LOOKUPS) {
    throw new BudgetError(
      `PgBouncer takes two connections at least, one of them to look up passwords, and there is ${maxDbConnections} for it. Raise max_connections, or lower the headroom.`,
    )
  }
  const reservePoolSize = Math.floor(maxDbConnections * RESERVE_SHARE)
  const poolSize = maxDbConnections - LOOKUPS - reservePoolSize
  const servers = poolSize + reservePoolSize
  const pools = (instances + surgeInstances(instances, maxSurge)) * processesPerInstance * poolsPerProcess
  const perPool = Math.min(servers, Math.max(MIN_PER_POOL, OVERBOOKING * Math.ceil(servers / pools)))
  const slack = Math.max(MIN_SLACK, Math.ceil(pools * perPool * RESERVE_SHARE))
  const maxClients = pools * perPool + slack
  const pooler: PoolerCapacity = {
    mode: 'transaction',
    maxClients,
    otherClients: slack,
    poolSize,
    reservePoolSize,
    maxDbConnections,
    maxUserConnections: null,
  }
  return { maxClients, poolSize, reservePoolSize, maxDbConnections, budget: planBudget({ ...input, pooler }) }
}
