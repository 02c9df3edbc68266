import type { LimitComparison } from '../adaptive/index.ts'
import type { MetricDefinition } from './metric.ts'

/** Of a pool with the setting `limit: adaptive`. */
export const ADAPTIVE_METRICS: readonly MetricDefinition[] = [
  {
    name: 'poolguard_adaptive_limit',
    type: 'gauge',
    help: 'The best limit that the pool has found with the setting limit: adaptive, in connections.',
    read: ({ adaptiveLimit }) => (adaptiveLimit ? [{ labels: {}, value: adaptiveLimit.base }] : []),
  },
  {
    name: 'poolguard_adaptive_candidate',
    type: 'gauge',
    help: 'The limit that was compared last with the best one.',
    combine: 'max',
    read: ofComparison(({ candidate }) => candidate),
  },
  {
    name: 'poolguard_adaptive_throughput_ratio',
    type: 'gauge',
    help: 'The throughput with that limit over the throughput with the best one.',
    combine: 'max',
    read: ofComparison(({ throughputRatio }) => throughputRatio),
  },
  {
    name: 'poolguard_adaptive_confidence',
    type: 'gauge',
    help: 'The probability that this comparison has chosen the better limit, from 0.5 to 1.',
    combine: 'max',
    read: ofComparison(({ confidence }) => confidence),
  },
]

function ofComparison(read: (last: LimitComparison) => number): MetricDefinition['read'] {
  return ({ adaptiveLimit }) => (adaptiveLimit?.last ? [{ labels: {}, value: read(adaptiveLimit.last) }] : [])
}
