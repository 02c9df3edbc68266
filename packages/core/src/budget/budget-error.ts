import { PoolguardError } from '../poolguard-error.ts'

/** The instances do not fit into what the database can give. The message says which number to change, and to what. */
export class BudgetError extends PoolguardError {
  static {
    BudgetError.prototype.name = 'BudgetError'
  }

  readonly code = 'POOLGUARD_BUDGET'
}
