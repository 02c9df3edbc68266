import { InvalidOptionError } from '../invalid-option-error.ts'
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
  requireCount('instances', instances, 1)
  if (wished !== undefined) requireCount('headroom', wished, 0)
  const usable = usableSlots(capacity)
  const headroom = wished ?? defaultHeadroom(usable)
  const maxPerInstance = Math.floor((usable - headroom) / instances)
  if (maxPerInstance < 1) throw new BudgetError(doesNotFit(capacity, usable, headroom, instances))
  const steps = [
    ...explainUsable(capacity, usable),
    `${usable} usable - ${headroom} headroom = ${usable - headroom} to share`,
    `${usable - headroom} / ${instances} instances = ${maxPerInstance} each`,
  ]
  return { maxPerInstance, instances, headroom, usable, steps }
}

/** The idea is PostgreSQL's own: superuser_reserved_connections is 3 of 100 by default. */
export function defaultHeadroom(usable: number): number {
  return Math.max(3, Math.ceil(usable / 10))
}

function explainUsable({ maxConnections, reserved, roleLimit, databaseLimit }: Capacity, usable: number): string[] {
  const steps = [`max_connections ${maxConnections} - ${reserved} reserved = ${maxConnections - reserved}`]
  if (roleLimit === usable) steps.push(`the role's CONNECTION LIMIT allows ${roleLimit}`)
  if (databaseLimit === usable) steps.push(`the database's CONNECTION LIMIT allows ${databaseLimit}`)
  return steps
}

function doesNotFit(capacity: Capacity, usable: number, headroom: number, instances: number): string {
  const short = instances - (usable - headroom)
  const limit =
    capacity.roleLimit === usable
      ? `the role's CONNECTION LIMIT to ${usable + short}`
      : capacity.databaseLimit === usable
        ? `the database's CONNECTION LIMIT to ${usable + short}`
        : `max_connections to ${capacity.maxConnections + short}`
  const fits = Math.max(0, usable - headroom)
  return (
    `${instances} instances cannot share ${fits} connections (${usable} usable - ${headroom} headroom). ` +
    `Run at most ${fits} instances, put PgBouncer in front, or raise ${limit}.`
  )
}

function requireCount(option: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new InvalidOptionError(option, value, `a whole number of at least ${least}`)
  }
}
