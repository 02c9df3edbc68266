import { HEADROOM_SHARE, MIN_HEADROOM } from '../budget/index.ts'
import {
  completeThresholds,
  type HealthThreshold,
  type HealthThresholds,
  MIN_ATTEMPTS,
  MIN_FAILURES,
  POOL_LABEL,
  SOURCE_LABEL,
  SOURCE_UP,
} from '../observe/index.ts'
import { DEFAULT_POOL_SETTINGS } from '../pool/index.ts'
import { bySource, EXPORTER_UP, series } from './promql.ts'

export type Severity = 'warning' | 'critical'

/** One alert of Prometheus. Plain data. */
export interface AlertRule {
  /** The warning and the critical rule of one condition share the name, so that Alertmanager can inhibit the warning. */
  readonly name: string
  readonly expr: string
  /** How long the condition must hold before the alert fires, as a Prometheus duration. */
  readonly for: string
  readonly labels: { readonly severity: Severity }
  readonly annotations: {
    readonly summary: string
    /** The meaning of the alert. */
    readonly description: string
    /** The first thing to do. */
    readonly action: string
  }
}

/** The range of rates: contains several scrapes even if they are a minute apart. */
const RANGE = '5m'
/** How long an alert about a single event fires. */
const EVENT_RANGE = '15m'
/** A shorter problem may be a deployment or a burst. */
const HOLD_DURATION: Readonly<Record<Severity, string>> = { warning: '5m', critical: '1m' }

const POOL = `pool {{ $labels.${POOL_LABEL} }} of {{ $labels.instance }}`
const SOURCE = `{{ $labels.${SOURCE_LABEL} }} ({{ $labels.job }})`
const OF_SOURCE = `by (job, ${SOURCE_LABEL})`

/**
 * Prometheus alerts for every pool, for PostgreSQL and for PgBouncer.
 *
 * @param thresholds health thresholds that replace those of `DEFAULT_HEALTH_THRESHOLDS`.
 * @throws {InvalidOptionError} for an invalid threshold.
 * @example
 * alertRules({ waiters: { warning: 20, critical: 100 } }).map(({ name, expr }) => [name, expr])
 */
export function alertRules(thresholds: Partial<HealthThresholds> = {}): AlertRule[] {
  const all = completeThresholds(thresholds)
  return [...healthRules(all), ...EVENT_RULES, ...SERVER_RULES, ...pgBouncerRules(all)]
}

/** The content of a Prometheus rule file, as an object to serialize as YAML. */
export function prometheusRuleFile(rules: readonly AlertRule[]): object {
  return { groups: [{ name: 'poolguard', rules: rules.map(({ name, ...rule }) => ({ alert: name, ...rule })) }] }
}

/** Alerts on the measures of a pool's health, over a longer window than the health check in the process uses. */
function healthRules({ activeShare, waiters, meanWaitMillis, connectErrorShare }: HealthThresholds): AlertRule[] {
  const failures = `sum without (failure) (increase(${series('poolguard_connect_failures_total')}[${RANGE}]))`
  const attempts = `(${failures} + increase(${series('poolguard_connections_opened_total')}[${RANGE}]))`
  const waited = (part: 'sum' | 'count') =>
    `rate(${series(`db_client_connection_wait_time_seconds_${part}`)}[${RANGE}])`
  const meanWait = `${waited('sum')} / ${waited('count')}`
  const waiting = series('db_client_connection_pending_requests')
  const seconds = (what: 'use' | 'capacity') => `rate(${series(`poolguard_${what}_seconds_total`)}[${RANGE}])`
  return [
    ...thresholdRules('PoolguardConnectionsInUse', activeShare, {
      value: `${seconds('use')} / ${seconds('capacity')}`,
      // A pool with all connections in use and no waiter is just large enough.
      critically: `(${waiting} >= ${literal(waiters.warning)} or ${meanWait} >= ${literal(meanWaitMillis.warning / 1_000)})`,
      annotations: {
        summary: `{{ $value | humanizePercentage }} of ${POOL} are in use`,
        description:
          'This share of the connections that the pool may open was in use over the last 5 minutes. The next burst has to wait.',
        action:
          'Look for slow queries and long checkouts first: a checked-out connection that runs no query means that the app ' +
          'does other work between its queries. Raise max only if the database has free connections.',
      },
    }),
    ...thresholdRules('PoolguardCallersWaiting', waiters, {
      value: waiting,
      annotations: {
        summary: `{{ $value }} callers wait for a connection of ${POOL}`,
        description: 'All connections of the pool are in use. Callers queue, and time out if they wait too long.',
        action:
          'Look at the oldest checkout and at the database (locks, slow queries). If every connection runs queries and the ' +
          'database is not overloaded, raise max; if the database is overloaded, shed load.',
      },
    }),
    ...thresholdRules('PoolguardLongWaits', inSeconds(meanWaitMillis), {
      value: meanWait,
      annotations: {
        summary: `Callers wait {{ $value | humanizeDuration }} on average for a connection of ${POOL}`,
        description: 'Each request spends this time before its first query can start.',
        action:
          'See the waits by label (route or job) for the callers that wait. Shorten their checkouts, or raise max if the ' +
          'database has free connections.',
      },
    }),
    ...thresholdRules('PoolguardConnectErrors', connectErrorShare, {
      value: `${failures} / ${attempts}`,
      provided: `${attempts} >= ${MIN_ATTEMPTS} and ${failures} >= ${MIN_FAILURES}`,
      annotations: {
        summary: `{{ $value | humanizePercentage }} of the connection attempts of ${POOL} fail`,
        description:
          'The server is full, unreachable, or rejects the role. The pool retries and backs off exponentially.',
        action:
          'Look at the label failure of poolguard_connect_failures_total: full means too many instances or too large a max; ' +
          'unavailable means the network or a restart; permanent means a wrong password, role or database.',
      },
    }),
  ]
}

interface ThresholdAlert {
  readonly value: string
  /** A condition for the value to be significant. */
  readonly provided?: string
  /** An additional condition for the critical rule. */
  readonly critically?: string
  readonly annotations: AlertRule['annotations']
}

/** One rule for the warning threshold and one for the critical threshold; an infinite threshold has no rule. */
function thresholdRules(
  name: string,
  threshold: HealthThreshold,
  { value, provided, critically, annotations }: ThresholdAlert,
): AlertRule[] {
  const severities = (['warning', 'critical'] as const).filter((severity) => threshold[severity] !== Infinity)
  return severities.map((severity) => ({
    name,
    expr: [`${value} >= ${threshold[severity]}`, provided, severity === 'critical' ? critically : undefined]
      .filter((condition) => condition !== undefined)
      .join(' and '),
    for: HOLD_DURATION[severity],
    labels: { severity },
    annotations,
  }))
}

/** Events that should never happen. */
const EVENT_RULES: readonly AlertRule[] = [
  onIncrease('PoolguardTimeouts', 'warning', 'db_client_connection_timeouts_total', {
    summary: `Callers timed out while they waited for a connection of ${POOL}`,
    description: 'The callers got an error: requests have failed.',
    action: 'See the error in the log for the oldest checkouts, and follow PoolguardCallersWaiting.',
  }),
  onIncrease('PoolguardCallersRejected', 'critical', 'poolguard_saturated_total', {
    summary: `Callers of ${POOL} were rejected because too many callers wait`,
    description: 'maxWaiters callers already wait; the pool rejects each further caller immediately.',
    action: 'Shed load in front of the app, and find the code that holds the connections.',
  }),
  onIncrease('PoolguardCallersShed', 'warning', 'poolguard_callers_shed_total', {
    summary: `Callers of ${POOL} were rejected because the pool is overloaded`,
    description:
      'More callers arrive than the connections can serve, so the pool rejects some to answer the others in time.',
    action:
      'Look for slow queries and lock waits on the database first. If the load is legitimate, make the statements cheaper, or the ' +
      'database larger: more connections do not help a database at its limit.',
  }),
  onIncrease('PoolguardRequestsShed', 'warning', 'poolguard_requests_shed_total', {
    summary: '{{ $labels.instance }} sheds requests',
    description: 'More callers wait for a connection than the app allows, so the app answers new requests with 503.',
    action:
      'Follow PoolguardCallersWaiting to find out why callers wait. Scale out only if the database has free connections.',
  }),
  {
    name: 'PoolguardLeakSuspected',
    // Fires until the connection is released, and at least as long as any event.
    expr: `${increaseOf('poolguard_leaks_total')} or ${series('poolguard_suspected_leases')} > 0`,
    for: '0s',
    labels: { severity: 'warning' },
    annotations: {
      summary: `A connection of ${POOL} was probably never released`,
      description:
        'The connection was checked out for leakThresholdMillis without any traffic. Each leak makes the pool permanently smaller.',
      action:
        'See the leak event for the stack of the caller. Release in a finally block, or use a function that releases the ' +
        'connection itself.',
    },
  },
  onIncrease('PoolguardDeadlock', 'critical', 'poolguard_deadlocks_total', {
    summary: `Every holder of a connection of ${POOL} waited for another one`,
    description:
      'Code that holds a connection acquired a second one. All callers are blocked until the acquires time out.',
    action:
      'See the deadlock event for the stacks. Pass the transaction to the inner code instead of acquiring another connection.',
  }),
  {
    name: 'PoolguardWalTooLarge',
    expr: `${series('poolguard_wal_bytes')} > ${series('poolguard_wal_max_bytes')}`,
    for: '5m',
    labels: { severity: 'warning' },
    annotations: {
      summary: `The WAL of ${POOL} exceeds maxWalBytes`,
      description:
        'SQLite cannot reset the WAL while a read or write transaction is open. Each write makes the WAL larger.',
      action: "See the pool's health or its warning event for the open transaction and its duration, and end it.",
    },
  },
  onIncrease('PoolguardDirtyReleases', 'warning', 'poolguard_dirty_releases_total', {
    summary: `Connections of ${POOL} were released with an open transaction`,
    description: 'The pool rolled the transaction back: its changes are lost, and the code does not know.',
    action: 'Find the release without COMMIT or ROLLBACK; the cause is mostly an early return or an error after BEGIN.',
  }),
]

function onIncrease(
  name: string,
  severity: Severity,
  counter: string,
  annotations: AlertRule['annotations'],
): AlertRule {
  return { name, expr: increaseOf(counter), for: '0s', labels: { severity }, annotations }
}

function increaseOf(counter: string): string {
  return `increase(${series(counter)}[${EVENT_RANGE}]) > 0`
}

const FREE = `min ${OF_SOURCE} (${series('poolguard_server_free_connections')})`

/** Alerts on PostgreSQL. Several instances may report the same server. */
const SERVER_RULES: readonly AlertRule[] = [
  ...(['warning', 'critical'] as const).map(
    (severity): AlertRule => ({
      name: 'PoolguardCloseToMaxConnections',
      expr:
        severity === 'critical'
          ? `${FREE} < ${MIN_HEADROOM}`
          : `${FREE} < ${HEADROOM_SHARE} * max ${OF_SOURCE} (${series('poolguard_server_max_connections')})`,
      for: HOLD_DURATION[severity],
      labels: { severity },
      annotations: {
        summary: `${SOURCE} has {{ $value }} free connections left`,
        description:
          'Once they are used, the server rejects this app and all other apps with "sorry, too many clients already".',
        action:
          'Group pg_stat_activity by application_name and state to see which apps hold the connections. Scale in or lower max, ' +
          'or use a pooler, which serves more clients with fewer connections. Raising max_connections needs a restart and more ' +
          'memory.',
      },
    }),
  ),
  {
    name: 'PoolguardIdleInTransaction',
    expr: `max ${OF_SOURCE} (${series('poolguard_server_longest_idle_in_transaction_seconds')}) >= ${DEFAULT_POOL_SETTINGS.leakThresholdMillis / 1_000}`,
    for: '0s',
    labels: { severity: 'warning' },
    annotations: {
      summary: `A transaction on ${SOURCE} has been idle for {{ $value | humanizeDuration }}`,
      description: 'The transaction holds its locks and its connection, and prevents VACUUM from removing dead rows.',
      action:
        'Find its session in pg_stat_activity by state, application_name and last query, and end it with pg_terminate_backend. ' +
        'Then look for work between queries, such as a call to another service; idle_in_transaction_session_timeout limits it.',
    },
  },
  {
    name: 'PoolguardSourceDown',
    expr: `(max ${OF_SOURCE} (${series(SOURCE_UP.name)}) or ${worstPgBouncer(EXPORTER_UP.name)}) < 1`,
    for: HOLD_DURATION.warning,
    labels: { severity: 'warning' },
    annotations: {
      summary: `${SOURCE} does not answer the queries for its metrics`,
      description: 'The dashboard and the alerts have no current metrics of this source.',
      action:
        'Connect from the app with the address and role of the source. If the server is down, the pool alerts fire too.',
    },
  },
]

/** How long the longest waiter may wait. Critical: callers of a pool with the default acquire timeout time out by then. */
const PGBOUNCER_MAX_WAIT: HealthThreshold = { warning: 1, critical: DEFAULT_POOL_SETTINGS.acquireTimeoutMillis / 1_000 }

function pgBouncerRules({ waiters }: HealthThresholds): AlertRule[] {
  const pool = `pool {{ $labels.database }}/{{ $labels.user }} of PgBouncer ${SOURCE}`
  return [
    ...thresholdRules('PoolguardPgBouncerClientsWaiting', waiters, {
      value: worstPgBouncer('pgbouncer_pools_client_waiting_connections', 'database', 'user'),
      annotations: {
        summary: `{{ $value }} clients wait for a server connection of ${pool}`,
        description:
          'All server connections of this pool are in use. Each waiting client also occupies a connection of an app pool.',
        action:
          'Use SHOW SERVERS and pg_stat_activity to find the transactions that hold them, long or idle ones first. Raise ' +
          'default_pool_size if PostgreSQL has free connections.',
      },
    }),
    ...thresholdRules('PoolguardPgBouncerMaxWait', PGBOUNCER_MAX_WAIT, {
      value: worstPgBouncer('pgbouncer_pools_client_maxwait_seconds', 'database', 'user'),
      annotations: {
        summary: `A client has waited {{ $value | humanizeDuration }} for a server connection of ${pool}`,
        description:
          'PgBouncer has too few free server connections; after query_wait_timeout it disconnects the waiting clients.',
        action:
          'Check that PostgreSQL accepts new connections and that the pool is not paused; then follow ' +
          'PoolguardPgBouncerClientsWaiting.',
      },
    }),
  ]
}

function worstPgBouncer(metric: string, ...labels: readonly string[]): string {
  return bySource('max', labels, (matchers) => series(metric, matchers))
}

/** PromQL would read JavaScript's `Infinity` as the name of a metric. */
function literal(value: number): string {
  return value === Infinity ? '+Inf' : String(value)
}

function inSeconds({ warning, critical }: HealthThreshold): HealthThreshold {
  return { warning: warning / 1_000, critical: critical / 1_000 }
}
