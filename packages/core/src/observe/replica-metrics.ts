import { type MetricDefinition, NO_LABELS } from './metric.ts'
import type { ReplicaSnapshot } from './snapshot.ts'

/** Of a pool with replicas. */
export const REPLICA_METRICS: readonly MetricDefinition[] = [
  {
    name: 'poolguard_replica_usable',
    type: 'gauge',
    help: '1 if reads go to the replica; 0 if it is down, lags too much, or was promoted.',
    labels: ['replica'],
    combine: 'max',
    read: perReplica(({ state }) => (state === 'usable' ? 1 : 0)),
  },
  {
    name: 'poolguard_replica_lag_seconds',
    type: 'gauge',
    help: 'How far the replica is behind the primary.',
    labels: ['replica'],
    combine: 'max',
    read: perReplica(({ lagMillis }) => lagMillis && lagMillis / 1_000),
  },
  {
    name: 'poolguard_replica_reads_total',
    type: 'counter',
    help: 'Reads that went to the replica.',
    labels: ['replica'],
    read: perReplica(({ reads }) => reads),
  },
  {
    name: 'poolguard_reads_on_primary_total',
    type: 'counter',
    help: "Reads that went to the primary, because no replica could be used or had the caller's writes.",
    read: ({ routing }) => (routing ? [{ labels: NO_LABELS, value: routing.readsOnPrimary }] : []),
  },
]

function perReplica(read: (replica: ReplicaSnapshot) => number | null): MetricDefinition['read'] {
  return ({ routing }) =>
    (routing?.replicas ?? []).flatMap((replica) => {
      const value = read(replica)
      return value === null ? [] : [{ labels: { replica: replica.name }, value }]
    })
}
