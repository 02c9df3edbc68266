export { CAPACITY_QUERY, type Capacity, usableSlots } from './capacity.ts'
export {
  type Budget,
  BudgetError,
  defaultHeadroom,
  HEADROOM_SHARE,
  LEAST_HEADROOM,
  type PlanInput,
  planBudget,
} from './plan.ts'
