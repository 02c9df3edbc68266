export { AdaptiveLimit, type AdaptiveLimitState, type LimitGuide } from './adaptive-limit.ts'
export { FleetLimit, type FleetNotice } from './fleet-limit.ts'
export { decodeNotice, encodeNotice, MAX_TOTAL, NOTICE_LENGTH } from './fleet-notice.ts'
export type { LimitComparison } from './limit-controller.ts'
