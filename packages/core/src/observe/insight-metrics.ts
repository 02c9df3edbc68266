import type { LeaseTimes } from './insight/index.ts'
import { type MetricDefinition, type MetricSample, NO_LABELS } from './metric.ts'

/** Where the time of connections goes. */
export const INSIGHT_METRICS: readonly MetricDefinition[] = [
  {
    name: 'poolguard_lease_seconds_total',
    type: 'counter',
    help: 'Time of finished checkouts by what the connection did: statement, idle_in_transaction, idle (held without a transaction) or own_cpu (the event loop was busy).',
    labels: ['activity'],
    read: ({ insight }) => (insight ? perActivity(insight.times) : []),
  },
  {
    name: 'poolguard_labelled_lease_seconds_total',
    type: 'counter',
    help: 'The same by label (route or job) of the caller.',
    labels: ['label', 'activity'],
    read: ({ insight }) =>
      Object.entries(insight?.timesByLabel ?? {}).flatMap(([label, times]) => perActivity(times, { label })),
  },
]

/** The label of what a lease was doing. */
const ACTIVITY_LABEL = 'activity'

function perActivity(times: LeaseTimes, labels: MetricSample['labels'] = NO_LABELS): MetricSample[] {
  const { statementMillis, idleInTransactionMillis, idleMillis, ownCpuMillis } = times
  const millis = {
    statement: statementMillis,
    idle_in_transaction: idleInTransactionMillis,
    idle: idleMillis,
    own_cpu: ownCpuMillis,
  }
  return Object.entries(millis).map(([activity, value]) => ({
    labels: { ...labels, [ACTIVITY_LABEL]: activity },
    value: value / 1_000,
  }))
}
