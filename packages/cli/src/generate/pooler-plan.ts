import type { Budget } from '@poolguard/core'
import { BudgetError, type PlanInput, type PoolerCapacity, planBudget, surgeInstances } from '@poolguard/core/postgres'
import { t } from '../output/translate.ts'

/** Sizes of a PgBouncer in transaction mode in front of a server, and of the pools that connect to it. */
export interface PoolerPlan {
  readonly maxClients: number
  readonly poolSize: number
  readonly reservePoolSize: number
  readonly maxDbConnections: number
  /** The plan behind that PgBouncer. */
  readonly budget: Budget
}

/** The other 30 % are for sessions that bypass the pooler: people, migrations, replication. `doctor` uses the same share. */
const SHARE = 0.7
/** PgBouncer's own connection, which looks up passwords. */
const LOOKUPS = 1
const RESERVE_SHARE = 0.1
/** pg's default: with fewer, an app waits in its own pool although PgBouncer has free connections. */
const MIN_PER_POOL = 10
/** Lets a pool use connections that other pools leave idle; an idle client costs PgBouncer a few kilobytes. */
const OVERBOOKING = 2
const MIN_SLACK = 10

/**
 * Plans a pooler for a server: its connections stay within the shared budget and within 70 % of max_connections, and each
 * pool gets twice its even share of them, at least ten.
 *
 * @throws {BudgetError} if PgBouncer would get fewer than two connections.
 */
export function planPooler(input: PlanInput): PoolerPlan {
  const { capacity, instances, maxSurge, processesPerInstance = 1, poolsPerProcess = 1 } = input
  // A single pool would get all shared connections.
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
      t`PgBouncer needs at least two connections, one of them to look up passwords, but only ${maxDbConnections} would be available. Raise max_connections, or lower the headroom.`,
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
