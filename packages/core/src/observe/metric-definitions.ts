import type { LimitComparison } from '../adaptive/index.ts'
import type { Durations, LaneStats } from '../pool/index.ts'
import type { LeaseTimes } from './insight/index.ts'
import type { FleetSnapshot, PipeliningState, PoolSnapshot, ReplicaSnapshot, WalSnapshot } from './snapshot.ts'

/** One value of a metric, for the pool it was read from. */
export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number | Durations
}

/** The description of a metric. The metrics page, dashboards and alerts are all generated from lists of descriptions. */
export interface MetricDescription {
  /** The name in Prometheus. If OpenTelemetry defines the metric: its name with underscores for dots, followed by the unit. */
  readonly name: string
  readonly type: 'gauge' | 'counter' | 'histogram'
  readonly help: string
  /** The labels of its series, besides the label of the pool or the source. */
  readonly labels?: readonly string[]
}

/** A metric and the function that reads its values. */
export interface ReadableMetric<Figures> extends MetricDescription {
  readonly read: (figures: Figures) => readonly MetricSample[]
}

/** A metric of a pool. */
export interface MetricDefinition extends ReadableMetric<PoolSnapshot> {
  /** Its name and unit in OpenTelemetry's semantic conventions, if they define the metric. */
  readonly convention?: { readonly name: string; readonly unit: string }
  /** How to combine the values of several pools with the same name. Default: `sum`. */
  readonly combine?: 'sum' | 'max'
}

/** The label of the pool, on every metric of a pool. */
export const POOL_LABEL = 'db_client_connection_pool_name'
/** The label of the connection state: `idle` or `used`. */
export const STATE_LABEL = 'db_client_connection_state'

type Read = (snapshot: PoolSnapshot) => number | Durations

/** The labels of a metric that has no label besides the pool or the source. */
export const NO_LABELS: MetricSample['labels'] = {}

function only(read: Read): MetricDefinition['read'] {
  return (snapshot) => [{ labels: NO_LABELS, value: read(snapshot) }]
}

function ofFleet(read: (fleet: FleetSnapshot) => number): MetricDefinition['read'] {
  return ({ fleet }) => (fleet ? [{ labels: {}, value: read(fleet) }] : [])
}

function ofPipelining(read: (pipelining: PipeliningState) => number): MetricDefinition['read'] {
  return ({ pipelining }) => (pipelining ? [{ labels: {}, value: read(pipelining) }] : [])
}

function ofComparison(read: (last: LimitComparison) => number): MetricDefinition['read'] {
  return ({ adaptiveLimit }) => (adaptiveLimit?.last ? [{ labels: {}, value: read(adaptiveLimit.last) }] : [])
}

function ofWal(read: (wal: WalSnapshot) => number): MetricDefinition['read'] {
  return ({ wal }) => (wal ? [{ labels: {}, value: read(wal) }] : [])
}

function perReplica(read: (replica: ReplicaSnapshot) => number | null): MetricDefinition['read'] {
  return ({ routing }) =>
    (routing?.replicas ?? []).flatMap((replica) => {
      const value = read(replica)
      return value === null ? [] : [{ labels: { replica: replica.name }, value }]
    })
}

function perLane(read: (lane: LaneStats) => number | Durations): MetricDefinition['read'] {
  return ({ stats }) =>
    Object.entries(stats.lanes ?? {}).map(([lane, figures]) => ({ labels: { lane }, value: read(figures) }))
}

function rejections(lane: string, { timeouts, saturated, shed }: LaneStats): MetricSample[] {
  const shedInAll = shed['waited-too-long'] + shed['deadline-too-near']
  return Object.entries({ timeout: timeouts, saturated, shed: shedInAll }).map(([reason, value]) => ({
    labels: { lane, reason },
    value,
  }))
}

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
  {
    name: 'poolguard_lane_connections',
    type: 'gauge',
    help: 'Connections that the callers of a lane have.',
    labels: ['lane'],
    read: perLane(({ active }) => active),
  },
  {
    name: 'poolguard_lane_connections_max',
    type: 'gauge',
    help: 'The most connections that the callers of a lane may have at the same time.',
    labels: ['lane'],
    read: perLane(({ max }) => max),
  },
  {
    name: 'poolguard_lane_connections_reserved',
    type: 'gauge',
    help: 'Connections that other lanes leave free for a lane.',
    labels: ['lane'],
    read: perLane(({ reserve }) => reserve),
  },
  {
    name: 'poolguard_lane_pending_requests',
    type: 'gauge',
    help: 'Callers waiting for a connection, by lane.',
    labels: ['lane'],
    read: perLane(({ waiting }) => waiting),
  },
  {
    name: 'poolguard_lane_overloaded',
    type: 'gauge',
    help: '1 while more callers arrive than the connections of a lane can serve.',
    labels: ['lane'],
    combine: 'max',
    read: perLane(({ overloaded }) => (overloaded ? 1 : 0)),
  },
  {
    name: 'poolguard_lane_rejected_total',
    type: 'counter',
    help: 'Callers that got no connection, by lane and reason: timeout, saturated (maxWaiters) or shed (overload).',
    labels: ['lane', 'reason'],
    read: ({ stats }) => Object.entries(stats.lanes ?? {}).flatMap(([lane, figures]) => rejections(lane, figures)),
  },
  {
    name: 'poolguard_lane_wait_seconds',
    type: 'histogram',
    help: 'Time that callers waited for the connection that they acquired, by lane.',
    labels: ['lane'],
    read: perLane(({ wait }) => wait),
  },
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
  {
    name: 'poolguard_fleet_share',
    type: 'gauge',
    help: "This instance's share of the fleet's budget, in connections.",
    read: ofFleet(({ maxConnections }) => maxConnections),
  },
  {
    name: 'poolguard_fleet_demand',
    type: 'gauge',
    help: 'Connections that this instance could use, as published to its fleet.',
    read: ofFleet(({ demand }) => demand),
  },
  {
    name: 'poolguard_fleet_instances',
    type: 'gauge',
    help: "Instances that share the fleet's budget, as of the last exchange.",
    combine: 'max',
    read: ofFleet(({ instances }) => instances),
  },
  {
    name: 'poolguard_pipelined_statements_total',
    type: 'counter',
    help: 'Statements sent behind others on a connection in use.',
    read: ofPipelining(({ sentBehind }) => sentBehind),
  },
  {
    name: 'poolguard_pipelined_in_flight',
    type: 'gauge',
    help: 'Statements in flight on connections that statements may share.',
    read: ofPipelining(({ inFlight }) => inFlight),
  },
  {
    name: 'poolguard_pipeline_stalls_total',
    type: 'counter',
    help: 'Statements that ran for a second or longer while others waited behind them on the same connection.',
    read: ofPipelining(({ stalls }) => stalls),
  },
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

function perLabel(waits: Readonly<Record<string, Durations>>, read: (waits: Durations) => number): MetricSample[] {
  return Object.entries(waits).map(([label, durations]) => ({ labels: { label }, value: read(durations) }))
}
