import { requireWhole } from '../invalid-option-error.ts'
import { PoolguardError } from '../poolguard-error.ts'
import { type Capacity, usableSlots } from './capacity.ts'

export interface PlanInput {
  readonly capacity: Capacity
  /** Processes that will run at the same time, old and new together during a rolling deploy. */
  readonly instances: number
  /** Slots left free for people, migrations and cron. Default: 3, or 10 % of what is usable, whichever is more. */
  readonly headroom?: number | undefined
}

/** How many connections each instance may have, and how that was worked out. */
export interface Budget {
  readonly maxPerInstance: number
  readonly instances: number
  readonly headroom: number
  /** What the role may hold at all: see {@link usableSlots}. */
  readonly usable: number
  /** The arithmetic, a line each, to be shown to whoever asks why. */
  readonly steps: readonly string[]
}

/** The instances do not fit into what the database can give. The message says which number to change, and to what. */
export class BudgetError extends PoolguardError {
  readonly code = 'POOLGUARD_BUDGET'
}

/**
 * Shares what the database can give equally among a known number of instances.
 *
 * @throws {BudgetError} where an instance would get less than one connection.
 * @throws {InvalidOptionError} for a number of instances or a headroom that makes no sense.
 * @example
 * planBudget({ capacity, instances: 6 }).maxPerInstance // (20 - 3 reserved - 3 headroom) / 6 = 2
 */
export function planBudget({ capacity, instances, headroom: wished }: PlanInput): Budget {
  requireWhole('instances', instances, 1)
  if (wished !== undefined) requireWhole('headroom', wished, 0)
  const usable = usableSlots(capacity)
  const headroom = wished ?? defaultHeadroom(usable)
  const maxPerInstance = Math.floor((usable - headroom) / instances)
  if (maxPerInstance < 1) throw new BudgetError(doesNotFit(capacity, instances, wished))
  const steps = [
    ...explainUsable(capacity, usable),
    `${usable} usable - ${headroom} headroom = ${usable - headroom} to share`,
    `${usable - headroom} / ${instances} instances = ${maxPerInstance} each`,
  ]
  return { maxPerInstance, instances, headroom, usable, steps }
}

/** The idea is PostgreSQL's own: superuser_reserved_connections is 3 of 100 by default. */
export const LEAST_HEADROOM = 3
export const HEADROOM_SHARE = 0.1

export function defaultHeadroom(usable: number): number {
  return Math.max(LEAST_HEADROOM, Math.ceil(usable * HEADROOM_SHARE))
}

function explainUsable({ maxConnections, reserved, roleLimit, databaseLimit }: Capacity, usable: number): string[] {
  const steps = [`max_connections ${maxConnections} - ${reserved} reserved = ${maxConnections - reserved}`]
  if (roleLimit === usable) steps.push(`the role's CONNECTION LIMIT allows ${roleLimit}`)
  if (databaseLimit === usable) steps.push(`the database's CONNECTION LIMIT allows ${databaseLimit}`)
  return steps
}

function doesNotFit(capacity: Capacity, instances: number, wished: number | undefined): string {
  const usable = usableSlots(capacity)
  const headroom = wished ?? defaultHeadroom(usable)
  const fits = Math.max(0, usable - headroom)
  const advice = [
    ...(fits > 0 ? [`run at most ${fits} instances`] : []),
    'put PgBouncer in front',
    `or raise ${tooLow(capacity, leastUsable(usable, instances, wished)).join(' and ')}`,
  ].join(', ')
  return (
    `${instances} instances cannot share ${fits} connections (${usable} usable - ${headroom} headroom). ` +
    `${advice.charAt(0).toUpperCase()}${advice.slice(1)}.`
  )
}

/** What would have to be usable for one connection each. The headroom may grow with it, so one step is not always enough. */
function leastUsable(usable: number, instances: number, wished: number | undefined): number {
  const short = instances - (usable - (wished ?? defaultHeadroom(usable)))
  return short <= 0 ? usable : leastUsable(usable + short, instances, wished)
}

/** Every limit that does not let so many through, and what it would have to be. */
function tooLow({ maxConnections, reserved, roleLimit, databaseLimit }: Capacity, needed: number): string[] {
  const limits = [
    { name: 'max_connections', value: maxConnections, least: needed + reserved },
    { name: "the role's CONNECTION LIMIT", value: roleLimit ?? Infinity, least: needed },
    { name: "the database's CONNECTION LIMIT", value: databaseLimit ?? Infinity, least: needed },
  ]
  return limits.filter(({ value, least }) => value < least).map(({ name, least }) => `${name} to ${least}`)
}
