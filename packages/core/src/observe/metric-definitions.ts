import type { Durations } from '../pool/index.ts'
import type { FleetSnapshot, PoolSnapshot, WalSnapshot } from './snapshot.ts'

/** One value of a metric, for the pool it was read from. */
export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number | Durations
}

/** What a metric is. Everything that shows metrics, dashboards and alerts included, goes by lists of these. */
export interface MetricDescription {
  /** In Prometheus. Where OpenTelemetry has one, it is that, with its dots as underscores and its unit behind it. */
  readonly name: string
  readonly type: 'gauge' | 'counter' | 'histogram'
  readonly help: string
  /** Those that tell its series apart, beside that of the pool or the source. */
  readonly labels?: readonly string[]
}

/** A metric, and how its values are read. */
export interface ReadableMetric<Figures> extends MetricDescription {
  readonly read: (figures: Figures) => readonly MetricSample[]
}

/** A metric of a pool. */
export interface MetricDefinition extends ReadableMetric<PoolSnapshot> {
  /** Its name and unit in OpenTelemetry's conventions, for those that stand there. */
  readonly convention?: { readonly name: string; readonly unit: string }
  /** How those of several pools of one name come together; default: their sum. */
  readonly combine?: 'sum' | 'max'
}

/** The label that every metric of a pool has. */
export const POOL_LABEL = 'db_client_connection_pool_name'
/** `idle` or `used`. */
export const STATE_LABEL = 'db_client_connection_state'

type Read = (snapshot: PoolSnapshot) => number | Durations

/** Of what there is one series of, with no label but the pool's or the source's. */
export const NO_LABELS: MetricSample['labels'] = {}

function only(read: Read): MetricDefinition['read'] {
  return (snapshot) => [{ labels: NO_LABELS, value: read(snapshot) }]
}

function ofFleet(read: (fleet: FleetSnapshot) => number): MetricDefinition['read'] {
  return ({ fleet }) => (fleet ? [{ labels: {}, value: read(fleet) }] : [])
}

function ofWal(read: (wal: WalSnapshot) => number): MetricDefinition['read'] {
  return ({ wal }) => (wal ? [{ labels: {}, value: read(wal) }] : [])
}

/**
 * The nine of OpenTelemetry's conventions for pools (https://opentelemetry.io/docs/specs/semconv/database/database-metrics/#connection-pools),
 * and what they do not tell.
 */
export const METRICS: readonly MetricDefinition[] = [
  {
    name: 'db_client_connection_count',
    type: 'gauge',
    help: 'Connections that are open, by state.',
    labels: [STATE_LABEL],
    convention: { name: 'db.client.connection.count', unit: '{connection}' },
    read: ({ stats }) => [
      { labels: { [STATE_LABEL]: 'idle' }, value: stats.idle },
      { labels: { [STATE_LABEL]: 'used' }, value: stats.active },
    ],
  },
  {
    name: 'db_client_connection_idle_max',
    type: 'gauge',
    help: 'Most connections that may be idle.',
    convention: { name: 'db.client.connection.idle.max', unit: '{connection}' },
    read: only(({ stats }) => stats.max),
  },
  {
    name: 'db_client_connection_idle_min',
    type: 'gauge',
    help: 'Connections that are kept open while nobody asks.',
    convention: { name: 'db.client.connection.idle.min', unit: '{connection}' },
    read: only(({ stats }) => stats.min),
  },
  {
    name: 'db_client_connection_max',
    type: 'gauge',
    help: 'Most connections that may be open.',
    convention: { name: 'db.client.connection.max', unit: '{connection}' },
    read: only(({ stats }) => stats.max),
  },
  {
    name: 'db_client_connection_pending_requests',
    type: 'gauge',
    help: 'Callers that wait for a connection.',
    convention: { name: 'db.client.connection.pending_requests', unit: '{request}' },
    read: only(({ stats }) => stats.waiting),
  },
  {
    name: 'db_client_connection_timeouts_total',
    type: 'counter',
    help: 'Callers that waited for a connection in vain.',
    convention: { name: 'db.client.connection.timeouts', unit: '{timeout}' },
    read: only(({ stats }) => stats.timeouts),
  },
  {
    name: 'db_client_connection_create_time_seconds',
    type: 'histogram',
    help: 'How long opening a connection took.',
    convention: { name: 'db.client.connection.create_time', unit: 's' },
    read: only(({ stats }) => stats.connect),
  },
  {
    name: 'db_client_connection_wait_time_seconds',
    type: 'histogram',
    help: 'How long those who got a connection waited for it.',
    convention: { name: 'db.client.connection.wait_time', unit: 's' },
    read: only(({ stats }) => stats.wait),
  },
  {
    name: 'db_client_connection_use_time_seconds',
    type: 'histogram',
    help: 'How long connections were out.',
    convention: { name: 'db.client.connection.use_time', unit: 's' },
    read: only(({ stats }) => stats.usage),
  },
  {
    name: 'poolguard_labelled_acquires_total',
    type: 'counter',
    help: 'Connections got, by the label (route or job) of who asked.',
    labels: ['label'],
    read: ({ stats }) => perLabel(stats.waitByLabel, ({ count }) => count),
  },
  {
    name: 'poolguard_labelled_wait_seconds_total',
    type: 'counter',
    help: 'Time waited for connections that were got, by the label (route or job) of who asked.',
    labels: ['label'],
    read: ({ stats }) => perLabel(stats.waitByLabel, ({ sumMillis }) => sumMillis / 1_000),
  },
  {
    name: 'poolguard_connections_connecting',
    type: 'gauge',
    help: 'Connections that are being opened.',
    read: only(({ stats }) => stats.connecting),
  },
  {
    name: 'poolguard_connections_validating',
    type: 'gauge',
    help: 'Connections that are being checked or cleaned, between idle and used.',
    read: only(({ stats }) => stats.validating),
  },
  {
    name: 'poolguard_connections_closing',
    type: 'gauge',
    help: 'Connections that were given up, and that the server has not let go of yet.',
    read: only(({ stats }) => stats.closing),
  },
  {
    name: 'poolguard_connections_opened_total',
    type: 'counter',
    help: 'Connections opened.',
    read: only(({ stats }) => stats.opened),
  },
  {
    name: 'poolguard_connections_closed_total',
    type: 'counter',
    help: 'Connections closed.',
    read: only(({ stats }) => stats.closed),
  },
  {
    name: 'poolguard_connect_failures_total',
    type: 'counter',
    help: 'Attempts to connect that failed, by why: the server was full, unavailable, or the failure is permanent.',
    labels: ['failure'],
    read: ({ stats }) =>
      Object.entries(stats.connectFailures).map(([failure, value]) => ({ labels: { failure }, value })),
  },
  {
    name: 'poolguard_saturated_total',
    type: 'counter',
    help: 'Callers turned away at once because too many waited.',
    read: only(({ stats }) => stats.saturated),
  },
  {
    name: 'poolguard_leaks_total',
    type: 'counter',
    help: 'Leases suspected to be leaks.',
    read: only(({ stats }) => stats.leaks),
  },
  {
    name: 'poolguard_suspected_leases',
    type: 'gauge',
    help: 'Leases that are out, and suspected to be leaks.',
    read: only(({ stats }) => stats.suspectedLeaks),
  },
  {
    name: 'poolguard_deadlocks_total',
    type: 'counter',
    help: 'Times that every holder of a connection waited for another one.',
    read: only(({ stats }) => stats.deadlocks),
  },
  {
    name: 'poolguard_dirty_releases_total',
    type: 'counter',
    help: 'Connections that came back with a transaction open.',
    read: only((snapshot) => snapshot.dirtyReleases),
  },
  {
    name: 'poolguard_session_state_findings_total',
    type: 'counter',
    help: 'Statements that rely on a session which the pooler does not keep.',
    read: only((snapshot) => snapshot.sessionStateFindings),
  },
  {
    name: 'poolguard_fleet_target',
    type: 'gauge',
    help: "Connections that this instance may have of its fleet's budget.",
    read: ofFleet(({ maxConnections: target }) => target),
  },
  {
    name: 'poolguard_fleet_demand',
    type: 'gauge',
    help: 'Connections that this instance could use, as it has told its fleet.',
    read: ofFleet(({ demand }) => demand),
  },
  {
    name: 'poolguard_fleet_members',
    type: 'gauge',
    help: 'Instances that share the budget, as of the last look.',
    combine: 'max',
    read: ofFleet(({ instances: members }) => members),
  },
  {
    name: 'poolguard_wal_bytes',
    type: 'gauge',
    help: "Size of SQLite's write-ahead log on disk.",
    combine: 'max',
    read: ofWal(({ bytes }) => bytes),
  },
  {
    name: 'poolguard_wal_max_bytes',
    type: 'gauge',
    help: "Size that SQLite's write-ahead log should not exceed (maxWalBytes).",
    combine: 'max',
    read: ofWal(({ maxBytes }) => maxBytes),
  },
  {
    name: 'poolguard_longest_lease_seconds',
    type: 'gauge',
    help: 'How long the oldest lease is out.',
    combine: 'max',
    read: only(({ stats }) => stats.longestLeaseMillis / 1_000),
  },
  {
    name: 'poolguard_use_seconds_total',
    type: 'counter',
    help: 'Time that connections were out, those that are out included.',
    read: only(({ stats }) => stats.leasedMillis / 1_000),
  },
  {
    name: 'poolguard_capacity_seconds_total',
    type: 'counter',
    help: 'What max adds up to over time: the rate of poolguard_use_seconds_total over that of this is the share in use.',
    read: only(({ stats }) => stats.capacityMillis / 1_000),
  },
]

function perLabel(waits: Readonly<Record<string, Durations>>, read: (waits: Durations) => number): MetricSample[] {
  return Object.entries(waits).map(([label, durations]) => ({ labels: { label }, value: read(durations) }))
}
