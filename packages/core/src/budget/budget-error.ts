import { PoolguardError } from '../poolguard-error.ts'

/** The instances need more connections than the database allows. The message names each number to change, and its new value. */
export class BudgetError extends PoolguardError {
  static {
    BudgetError.prototype.name = 'BudgetError'
  }

  readonly code = 'POOLGUARD_BUDGET'
}
