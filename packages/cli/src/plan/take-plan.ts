import type { OtherConnections, PlanInput } from '@poolguard/core/postgres'
import { CannotRunError } from '../outcome.ts'
import { askForPlan } from './ask-for-plan.ts'
import type { PlanOptions } from './plan-options.ts'
import { type PlanSource, readServerSource, sourceByHand } from './plan-source.ts'

/** What is to be planned, and where its numbers come from. */
export interface TakenPlan {
  readonly source: PlanSource
  readonly input: PlanInput
}

/**
 * Takes a plan's numbers from a server, or from what was given; on a terminal it asks for what is missing.
 *
 * @throws {CannotRunError} where something is missing, or the server cannot be asked.
 */
export async function takePlan(url: string | undefined, options: PlanOptions): Promise<TakenPlan> {
  const asks = process.stdin.isTTY && process.stdout.isTTY && !options.json
  const given = options.instances === undefined && asks ? { ...options, ...(await askForPlan(options)) } : options
  if (given.instances === undefined) throw new CannotRunError('Say how many instances there are: --instances 6.')
  const source = given.maxConnections === undefined ? await readServerSource(url, given) : sourceByHand(given)
  const input: PlanInput = {
    capacity: source.capacity,
    instances: given.instances,
    maxSurge: given.maxSurge,
    processesPerInstance: given.processes,
    poolsPerProcess: given.pools,
    migrations: given.migrations,
    headroom: given.headroom,
    others: given.others === undefined ? source.others : everywhere(given.others),
    pooler: source.pooler,
  }
  return { source, input }
}

/** Nobody said whose they are, so every limit counts them. */
function everywhere(connections: number): OtherConnections {
  return { connections, ofRole: connections, ofDatabase: connections }
}
