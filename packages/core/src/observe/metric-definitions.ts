import type { Durations } from '../pool/index.ts'
import { ADAPTIVE_METRICS } from './adaptive-metrics.ts'
import { FLEET_METRICS } from './fleet-metrics.ts'
import { INSIGHT_METRICS } from './insight-metrics.ts'
import { LANE_METRICS } from './lane-metrics.ts'
import { type MetricDefinition, type MetricSample, NO_LABELS, STATE_LABEL } from './metric.ts'
import { PIPELINING_METRICS } from './pipelining-metrics.ts'
import { REPLICA_METRICS } from './replica-metrics.ts'
import type { PoolSnapshot } from './snapshot.ts'
import { WAL_METRICS } from './wal-metrics.ts'

/**
 * All metrics of a pool: the nine of OpenTelemetry's semantic conventions
 * (https://opentelemetry.io/docs/specs/semconv/database/database-metrics/#connection-pools), and poolguard's own.
 */
export const METRICS: readonly MetricDefinition[] = [
  {
    name: 'db_client_connection_count',
    type: 'gauge',
    help: 'Open connections by state.',
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
    help: 'Maximum number of idle connections.',
    convention: { name: 'db.client.connection.idle.max', unit: '{connection}' },
    read: only(({ stats }) => stats.max),
  },
  {
    name: 'db_client_connection_idle_min',
    type: 'gauge',
    help: 'Minimum number of connections that the pool keeps open.',
    convention: { name: 'db.client.connection.idle.min', unit: '{connection}' },
    read: only(({ stats }) => stats.min),
  },
  {
    name: 'db_client_connection_max',
    type: 'gauge',
    help: 'Maximum number of open connections.',
    convention: { name: 'db.client.connection.max', unit: '{connection}' },
    read: only(({ stats }) => stats.max),
  },
  {
    name: 'db_client_connection_pending_requests',
    type: 'gauge',
    help: 'Callers waiting for a connection.',
    convention: { name: 'db.client.connection.pending_requests', unit: '{request}' },
    read: only(({ stats }) => stats.waiting),
  },
  {
    name: 'db_client_connection_timeouts_total',
    type: 'counter',
    help: 'Acquires that timed out.',
    convention: { name: 'db.client.connection.timeouts', unit: '{timeout}' },
    read: only(({ stats }) => stats.timeouts),
  },
  {
    name: 'db_client_connection_create_time_seconds',
    type: 'histogram',
    help: 'Time to open a connection.',
    convention: { name: 'db.client.connection.create_time', unit: 's' },
    read: only(({ stats }) => stats.connect),
  },
  {
    name: 'db_client_connection_wait_time_seconds',
    type: 'histogram',
    help: 'Time that callers waited for the connection that they acquired.',
    convention: { name: 'db.client.connection.wait_time', unit: 's' },
    read: only(({ stats }) => stats.wait),
  },
  {
    name: 'db_client_connection_use_time_seconds',
    type: 'histogram',
    help: 'Time from the acquire of a connection to its release.',
    convention: { name: 'db.client.connection.use_time', unit: 's' },
    read: only(({ stats }) => stats.usage),
  },
  {
    name: 'poolguard_labelled_acquires_total',
    type: 'counter',
    help: 'Acquired connections by label (route or job) of the caller.',
    labels: ['label'],
    read: ({ stats }) => perLabel(stats.waitByLabel, ({ count }) => count),
  },
  {
    name: 'poolguard_labelled_wait_seconds_total',
    type: 'counter',
    help: 'Time waited for acquired connections, by label (route or job) of the caller.',
    labels: ['label'],
    read: ({ stats }) => perLabel(stats.waitByLabel, ({ sumMillis }) => sumMillis / 1_000),
  },
  ...INSIGHT_METRICS,
  {
    name: 'poolguard_connections_connecting',
    type: 'gauge',
    help: 'Connections being opened.',
    read: only(({ stats }) => stats.connecting),
  },
  {
    name: 'poolguard_connections_validating',
    type: 'gauge',
    help: 'Connections being validated or reset, between idle and used.',
    read: only(({ stats }) => stats.validating),
  },
  {
    name: 'poolguard_connections_closing',
    type: 'gauge',
    help: 'Connections being closed, which still occupy a slot on the server.',
    read: only(({ stats }) => stats.closing),
  },
  {
    name: 'poolguard_connections_opened_total',
    type: 'counter',
    help: 'Opened connections.',
    read: only(({ stats }) => stats.opened),
  },
  {
    name: 'poolguard_connections_closed_total',
    type: 'counter',
    help: 'Closed connections.',
    read: only(({ stats }) => stats.closed),
  },
  {
    name: 'poolguard_connect_failures_total',
    type: 'counter',
    help: 'Failed connection attempts by cause: the server was full or unavailable, or the failure is permanent.',
    labels: ['failure'],
    read: ({ stats }) =>
      Object.entries(stats.connectFailures).map(([failure, value]) => ({ labels: { failure }, value })),
  },
  {
    name: 'poolguard_saturated_total',
    type: 'counter',
    help: 'Callers rejected immediately because maxWaiters callers already waited.',
    read: only(({ stats }) => stats.saturated),
  },
  {
    name: 'poolguard_connections_limit',
    type: 'gauge',
    help: 'Connections that callers may have at the same time: the maximum, or fewer with the setting limit.',
    read: only(({ stats }) => stats.limit),
  },
  ...ADAPTIVE_METRICS,
  {
    name: 'poolguard_overloaded',
    type: 'gauge',
    help: '1 while more callers arrive than the connections can serve.',
    combine: 'max',
    read: only(({ stats }) => (stats.overloaded ? 1 : 0)),
  },
  {
    name: 'poolguard_callers_shed_total',
    type: 'counter',
    help: 'Callers rejected by an overloaded pool with the setting overload: shed, by reason.',
    labels: ['reason'],
    read: ({ stats }) => Object.entries(stats.shed).map(([reason, value]) => ({ labels: { reason }, value })),
  },
  ...LANE_METRICS,
  {
    name: 'poolguard_leaks_total',
    type: 'counter',
    help: 'Checkouts that became suspected leaks.',
    read: only(({ stats }) => stats.leaks),
  },
  {
    name: 'poolguard_suspected_leases',
    type: 'gauge',
    help: 'Current checkouts that are suspected leaks.',
    read: only(({ stats }) => stats.suspectedLeaks),
  },
  {
    name: 'poolguard_deadlocks_total',
    type: 'counter',
    help: 'Deadlocks: all callers that held a connection waited for another one.',
    read: only(({ stats }) => stats.deadlocks),
  },
  {
    name: 'poolguard_dirty_releases_total',
    type: 'counter',
    help: 'Connections released with an open transaction, which the pool rolled back.',
    read: only((snapshot) => snapshot.dirtyReleases),
  },
  {
    name: 'poolguard_session_state_findings_total',
    type: 'counter',
    help: 'Statements that depend on session state which the pooler does not keep.',
    read: only((snapshot) => snapshot.sessionStateFindings),
  },
  ...FLEET_METRICS,
  ...PIPELINING_METRICS,
  ...REPLICA_METRICS,
  ...WAL_METRICS,
  {
    name: 'poolguard_longest_lease_seconds',
    type: 'gauge',
    help: 'Age of the oldest checkout.',
    combine: 'max',
    read: only(({ stats }) => stats.longestLeaseMillis / 1_000),
  },
  {
    name: 'poolguard_use_seconds_total',
    type: 'counter',
    help: 'Total time that connections were checked out, including current checkouts.',
    read: only(({ stats }) => stats.leasedMillis / 1_000),
  },
  {
    name: 'poolguard_capacity_seconds_total',
    type: 'counter',
    help: 'max integrated over time: the rate of poolguard_use_seconds_total divided by the rate of this is the share in use.',
    read: only(({ stats }) => stats.capacityMillis / 1_000),
  },
]

function only(read: (snapshot: PoolSnapshot) => number | Durations): MetricDefinition['read'] {
  return (snapshot) => [{ labels: NO_LABELS, value: read(snapshot) }]
}

function perLabel(waits: Readonly<Record<string, Durations>>, read: (waits: Durations) => number): MetricSample[] {
  return Object.entries(waits).map(([label, durations]) => ({ labels: { label }, value: read(durations) }))
}
