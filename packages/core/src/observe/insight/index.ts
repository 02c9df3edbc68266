export type { InsightFinding, InsightKind } from './findings.ts'
export { InsightRecorder, type InsightRecorderOptions, type Metered } from './insight-recorder.ts'
export type { KnownStatement } from './known-statement.ts'
export type { LeaseTimes } from './lease-times.ts'
export { LoadingInsight } from './loading-insight.ts'
export type {
  InsightDurations,
  InsightSummary,
  LabelInsight,
  LaneInsight,
  OperationInsight,
  PoolInsight,
  StatementInsight,
} from './pool-insight.ts'
export type { MeteredSession, SessionMeter } from './session-meter.ts'
