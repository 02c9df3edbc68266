export { CAPACITY_QUERY, type Capacity, usableSlots } from './capacity.ts'
export { type Budget, BudgetError, defaultHeadroom, type PlanInput, planBudget } from './plan.ts'
