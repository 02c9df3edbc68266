import { type Budget, BudgetError, type Capacity, planBudget } from '../budget/index.ts'
import type { SettingsOptions } from './options.ts'

/** The budget of each of `instances`, or why there is none. */
export type PlannedBudget = { readonly budget: Budget } | { readonly problem: string }

/** Plans the budget of a pool with `instances`; undefined for another pool, and while the capacity is unknown. */
export function planInstances(
  { instances, headroom }: SettingsOptions,
  capacity: Capacity | undefined,
): PlannedBudget | undefined {
  if (instances === undefined || !capacity) return undefined
  try {
    return { budget: planBudget({ capacity, instances, headroom }) }
  } catch (error) {
    if (!(error instanceof BudgetError)) throw error
    return { problem: error.message }
  }
}
