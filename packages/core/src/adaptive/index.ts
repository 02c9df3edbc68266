export { AdaptiveLimit, type AdaptiveLimitState } from './adaptive-limit.ts'
export type { LimitComparison } from './limit-controller.ts'
