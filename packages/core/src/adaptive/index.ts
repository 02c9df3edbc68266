export { AdaptiveLimit, type AdaptiveLimitState, type LimitGuide } from './adaptive-limit.ts'
export { FleetLimit, type FleetNotice } from './fleet-limit.ts'
export { PAIRS, PERIOD_MILLIS, periodOf } from './fleet-meter.ts'
export type { LimitComparison } from './limit-controller.ts'
