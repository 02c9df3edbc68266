import type { MetricDefinition } from './metric.ts'
import type { WalSnapshot } from './snapshot.ts'

/** Of a pool of SQLite. */
export const WAL_METRICS: readonly MetricDefinition[] = [
  {
    name: 'poolguard_wal_bytes',
    type: 'gauge',
    help: 'Size of the SQLite write-ahead log on disk.',
    combine: 'max',
    read: ofWal(({ bytes }) => bytes),
  },
  {
    name: 'poolguard_wal_max_bytes',
    type: 'gauge',
    help: 'Maximum size that the SQLite write-ahead log should have (maxWalBytes).',
    combine: 'max',
    read: ofWal(({ maxBytes }) => maxBytes),
  },
]

function ofWal(read: (wal: WalSnapshot) => number): MetricDefinition['read'] {
  return ({ wal }) => (wal ? [{ labels: {}, value: read(wal) }] : [])
}
