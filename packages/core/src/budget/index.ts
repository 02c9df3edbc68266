export { BudgetError } from './budget-error.ts'
export { CAPACITY_QUERY, CAPACITY_SOURCE, type Capacity, parseCapacity, readCapacity, usableSlots } from './capacity.ts'
export { describeSizing } from './describe-sizing.ts'
export { busyConnections, busyRatio, type DatabaseLoad, readLoad, SIZING_QUERY } from './load.ts'
export { describeMemoryCost, MEGABYTES_PER_CONNECTION } from './memory-cost.ts'
export { type Budget, planBudget } from './plan.ts'
export type { PlanInput } from './plan-input.ts'
export { type PoolerAnswers, type PoolerCapacity, poolerServers, readPoolerCapacity } from './pooler-capacity.ts'
export {
  type BusyRatioInput,
  type LittlesLawInput,
  littlesLaw,
  type PoolLockingInput,
  type Sizing,
  sizeAgainstLocking,
  sizeByBusyRatio,
  sizeByCores,
} from './sizing.ts'
export { defaultHeadroom, HEADROOM_SHARE, MIN_HEADROOM } from './supply.ts'
export { type Surge, surgeInstances } from './surge.ts'
export { connectionsOfOthers, type OtherConnections, readUsage, USAGE_QUERY, type UsageRow } from './usage.ts'
