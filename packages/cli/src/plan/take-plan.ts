import type { OtherConnections, PlanInput } from '@poolguard/core/postgres'
import { CannotRunError } from '../outcome.ts'
import { canAsk } from '../output/ask.ts'
import { t } from '../output/translate.ts'
import { askForPlan } from './ask-for-plan.ts'
import type { PlanOptions } from './plan-options.ts'
import { type PlanSource, readServerSource, sourceByHand } from './plan-source.ts'

/** The input of a plan, and where its numbers come from. */
export interface TakenPlan {
  readonly source: PlanSource
  readonly input: PlanInput
}

/**
 * Takes the numbers of a plan from the server or from the options; on a terminal, asks for missing ones.
 *
 * @throws {CannotRunError} if a number is missing, or the server cannot be reached.
 */
export async function takePlan(url: string | undefined, options: PlanOptions): Promise<TakenPlan> {
  const given =
    options.instances === undefined && canAsk(options) ? { ...options, ...(await askForPlan(options)) } : options
  if (given.instances === undefined)
    throw new CannotRunError(t`The number of instances is missing: pass --instances 6, for example.`)
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

/** Their role and database are unknown, so every limit counts them. */
function everywhere(connections: number): OtherConnections {
  return { connections, ofRole: connections, ofDatabase: connections }
}
