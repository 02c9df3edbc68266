export { type LimitBounds, type LimitComparison, LimitController } from './limit-controller.ts'
export type { LimitSample } from './limit-sample.ts'
