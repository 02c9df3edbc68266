import { InvalidOptionError } from '../../invalid-option-error.ts'
import { ConnectionBudget, type PoolSettings } from '../../pool/index.ts'
import { ProcessWide } from '../../process-wide.ts'
import type { PoolguardOptions } from './poolguard-options.ts'

const budgets = new ProcessWide('poolguard.budgets.1', () => new Map<string, ConnectionBudget>())

/**
 * The budget with a name, the same for each call in this process: pools with the option `budget` never have more than `max` connections together.
 *
 * @param options `max` of a later call replaces that of an earlier one.
 * @throws {InvalidOptionError} if `max` is not a whole number from 1, or absent in the first call for this name.
 * @example
 * // 200 tenants, each with its own database, on 20 connections
 * const poolOf = (tenant: string) =>
 *   guardPool({ name: tenant, url: `postgres://app@db/${tenant}`, budget: budgetOf('tenants', { max: 20 }) })
 */
export function budgetOf(name: string, options?: { readonly max: number }): ConnectionBudget {
  const known = budgets.value.get(name)
  if (known) {
    if (options && options.max !== known.max) known.resize(options.max)
    return known
  }
  if (!options)
    throw new InvalidOptionError('max', undefined, `a number in the first call of budgetOf('${name}', { max })`)
  const budget = new ConnectionBudget(name, options.max)
  budgets.value.set(name, budget)
  return budget
}

/** @throws {InvalidOptionError} for options that contradict the option `budget`. */
export function rejectWithBudget({ budget, fleet }: PoolguardOptions, { min }: PoolSettings): void {
  if (budget === undefined) return
  if (typeof budget !== 'object' || typeof budget.resize !== 'function')
    throw new InvalidOptionError('budget', budget, "a budget: budgetOf('tenants', { max: 20 })")
  if (min > 0) throw new InvalidOptionError('pool.min', min, '0 with a budget: connections go where callers wait')
  if (fleet)
    throw new InvalidOptionError(
      'fleet',
      fleet.app,
      'no value with a budget: a fleet shares the connections of one database',
    )
}
