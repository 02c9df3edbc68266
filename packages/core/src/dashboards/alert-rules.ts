import { HEADROOM_SHARE, MIN_HEADROOM } from '../budget/index.ts'
import {
  completeThresholds,
  type HealthThresholds,
  MIN_ATTEMPTS,
  MIN_FAILURES,
  POOL_LABEL,
  SOURCE_LABEL,
  SOURCE_UP,
  type Threshold,
} from '../observe/index.ts'
import { DEFAULT_POOL_SETTINGS } from '../pool/index.ts'
import { bySource, EXPORTER_UP, series } from './promql.ts'

export type Severity = 'warning' | 'critical'

/** One alert of Prometheus. Plain data. */
export interface AlertRule {
  /** Warning and critical of one thing have the same, so that Alertmanager can let one inhibit the other. */
  readonly name: string
  readonly expr: string
  /** How long that has to hold before the alert fires, as a duration of Prometheus. */
  readonly for: string
  readonly labels: { readonly severity: Severity }
  readonly annotations: {
    readonly summary: string
    /** What it means. */
    readonly description: string
    /** What to do first. */
    readonly action: string
  }
}

/** The range of rates: several scrapes even where they are a minute apart. */
const RANGE = '5m'
/** What happened once is told for so long. */
const EVENT_RANGE = '15m'
/** Until then it may have been a deploy, or a burst. */
const PATIENCE: Readonly<Record<Severity, string>> = { warning: '5m', critical: '1m' }

const POOL = `pool {{ $labels.${POOL_LABEL} }} of {{ $labels.instance }}`
const SOURCE = `{{ $labels.${SOURCE_LABEL} }} ({{ $labels.job }})`
const OF_SOURCE = `by (job, ${SOURCE_LABEL})`

/**
 * Alerts on every pool, on PostgreSQL and on PgBouncer.
 *
 * @param thresholds of the pools' health, where they differ from `DEFAULT_HEALTH_THRESHOLDS`.
 * @throws {InvalidOptionError} for a threshold that cannot be meant.
 * @example
 * alertRules({ waiters: { warning: 20, critical: 100 } }).map(({ name, expr }) => [name, expr])
 */
export function alertRules(thresholds: Partial<HealthThresholds> = {}): AlertRule[] {
  const all = completeThresholds(thresholds)
  return [...healthRules(all), ...EVENT_RULES, ...SERVER_RULES, ...pgBouncerRules(all)]
}

/** The file that Prometheus takes, as what YAML is made of. */
export function prometheusRuleFile(rules: readonly AlertRule[]): object {
  return { groups: [{ name: 'poolguard', rules: rules.map(({ name, ...rule }) => ({ alert: name, ...rule })) }] }
}

/** The measures of a pool's health, over a longer window than the process's own. */
function healthRules({ activeShare, waiters, meanWaitMillis, connectErrorShare }: HealthThresholds): AlertRule[] {
  const failures = `sum without (failure) (increase(${series('poolguard_connect_failures_total')}[${RANGE}]))`
  const attempts = `(${failures} + increase(${series('poolguard_connections_opened_total')}[${RANGE}]))`
  const waited = (part: 'sum' | 'count') =>
    `rate(${series(`db_client_connection_wait_time_seconds_${part}`)}[${RANGE}])`
  const meanWait = `${waited('sum')} / ${waited('count')}`
  const waiting = series('db_client_connection_pending_requests')
  const seconds = (what: 'use' | 'capacity') => `rate(${series(`poolguard_${what}_seconds_total`)}[${RANGE}])`
  return [
    ...graded('PoolguardConnectionsInUse', activeShare, {
      value: `${seconds('use')} / ${seconds('capacity')}`,
      // A pool whose connections are all in use, and nobody waits, is just large enough.
      critically: `(${waiting} >= ${literal(waiters.warning)} or ${meanWait} >= ${literal(meanWaitMillis.warning / 1_000)})`,
      annotations: {
        summary: `{{ $value | humanizePercentage }} of ${POOL} are in use`,
        description:
          'So large a share of the connections it may have was in use over the last minutes. The next burst waits.',
        action:
          'Look for slow queries and long leases first: a connection that is out without a query is work between queries. ' +
          'Raise max only where the database has room for it.',
      },
    }),
    ...graded('PoolguardCallersWaiting', waiters, {
      value: waiting,
      annotations: {
        summary: `{{ $value }} callers wait for a connection of ${POOL}`,
        description: 'All its connections are in use, and callers queue for them; those that wait too long time out.',
        action:
          'Look at the oldest lease and at what the database is doing (locks, slow queries). If every connection works ' +
          'and the database is at ease, raise max; if it is not, shed load.',
      },
    }),
    ...graded('PoolguardLongWaits', inSeconds(meanWaitMillis), {
      value: meanWait,
      annotations: {
        summary: `Callers wait {{ $value | humanizeDuration }} on average for a connection of ${POOL}`,
        description: 'So long a part of each request is spent before its first query can begin.',
        action:
          'The waits by label (route or job) tell who waits. Shorten the leases there, or raise max where there is room.',
      },
    }),
    ...graded('PoolguardConnectErrors', connectErrorShare, {
      value: `${failures} / ${attempts}`,
      provided: `${attempts} >= ${MIN_ATTEMPTS} and ${failures} >= ${MIN_FAILURES}`,
      annotations: {
        summary: `{{ $value | humanizePercentage }} of the attempts of ${POOL} to connect fail`,
        description:
          'The server is full, cannot be reached, or refuses the role. The pool tries again with growing pauses.',
        action:
          'poolguard_connect_failures_total says which: full is too many instances or too large a max; unavailable is the ' +
          'network or a restart; permanent is a password, a role or a database.',
      },
    }),
  ]
}

interface Graded {
  readonly value: string
  /** What has to hold as well, for the value to mean something. */
  readonly provided?: string
  /** What has to hold as well, for it to be critical. */
  readonly critically?: string
  readonly annotations: AlertRule['annotations']
}

/** From a threshold on a warning, from another one on critical; one that is never reached has no rule. */
function graded(name: string, threshold: Threshold, { value, provided, critically, annotations }: Graded): AlertRule[] {
  const meant = (['warning', 'critical'] as const).filter((severity) => threshold[severity] !== Infinity)
  return meant.map((severity) => ({
    name,
    expr: [`${value} >= ${threshold[severity]}`, provided, severity === 'critical' ? critically : undefined]
      .filter((condition) => condition !== undefined)
      .join(' and '),
    for: PATIENCE[severity],
    labels: { severity },
    annotations,
  }))
}

/** Things that should not happen once. */
const EVENT_RULES: readonly AlertRule[] = [
  happened('PoolguardTimeouts', 'warning', 'db_client_connection_timeouts_total', {
    summary: `Callers waited in vain for a connection of ${POOL}`,
    description: 'They got an error instead: requests have failed.',
    action: 'The error in the log names the oldest leases. See PoolguardCallersWaiting for what to look at.',
  }),
  happened('PoolguardCallersTurnedAway', 'critical', 'poolguard_saturated_total', {
    summary: `So many waited for ${POOL} that callers were turned away`,
    description: 'maxWaiters callers wait already; each further one fails at once.',
    action: 'The pool does not keep up by far: shed load in front of the app, and find out what holds the connections.',
  }),
  happened('PoolguardRequestsShed', 'warning', 'poolguard_requests_shed_total', {
    summary: 'Requests are shed by {{ $labels.instance }}',
    description: 'More callers wait for a connection than the app allows, so it answers new requests with 503.',
    action:
      'That protects the app. See PoolguardCallersWaiting for why they wait; scale out only where the database has room.',
  }),
  {
    name: 'PoolguardLeakSuspected',
    // Until it comes back, and no shorter than any event.
    expr: `${increased('poolguard_leaks_total')} or ${series('poolguard_suspected_leases')} > 0`,
    for: '0s',
    labels: { severity: 'warning' },
    annotations: {
      summary: `A connection of ${POOL} was probably never released`,
      description: 'No byte has moved on it for leakThresholdMillis. Each leak makes the pool smaller for good.',
      action:
        'The leak event has the stack of the borrower. Release in a finally block, or use what releases by itself.',
    },
  },
  happened('PoolguardDeadlock', 'critical', 'poolguard_deadlocks_total', {
    summary: `Every holder of a connection of ${POOL} waited for another one`,
    description:
      'Code that holds a connection asked the pool for a second one. Nothing moves until the waits time out.',
    action:
      'The deadlock event has the stacks. Hand the transaction to the inner code instead of asking the pool again.',
  }),
  {
    name: 'PoolguardWalTooLarge',
    expr: `${series('poolguard_wal_bytes')} > ${series('poolguard_wal_max_bytes')}`,
    for: '5m',
    labels: { severity: 'warning' },
    annotations: {
      summary: `The WAL of ${POOL} exceeds maxWalBytes`,
      description: 'SQLite cannot reset the WAL while a read or write transaction is open. Each write makes it larger.',
      action: "The pool's health and its warning event name the transaction that is open, and for how long.",
    },
  },
  happened('PoolguardDirtyReleases', 'warning', 'poolguard_dirty_releases_total', {
    summary: `Connections came back to ${POOL} with a transaction open`,
    description: 'It was rolled back, so that what was done in it is lost, and the code believes otherwise.',
    action: 'Find the release without COMMIT or ROLLBACK, mostly an early return or an error between the two.',
  }),
]

function happened(name: string, severity: Severity, counter: string, annotations: AlertRule['annotations']): AlertRule {
  return { name, expr: increased(counter), for: '0s', labels: { severity }, annotations }
}

function increased(counter: string): string {
  return `increase(${series(counter)}[${EVENT_RANGE}]) > 0`
}

const FREE = `min ${OF_SOURCE} (${series('poolguard_server_free_connections')})`

/** PostgreSQL's side, which several instances may tell of. */
const SERVER_RULES: readonly AlertRule[] = [
  ...(['warning', 'critical'] as const).map(
    (severity): AlertRule => ({
      name: 'PoolguardCloseToMaxConnections',
      expr:
        severity === 'critical'
          ? `${FREE} < ${MIN_HEADROOM}`
          : `${FREE} < ${HEADROOM_SHARE} * max ${OF_SOURCE} (${series('poolguard_server_max_connections')})`,
      for: PATIENCE[severity],
      labels: { severity },
      annotations: {
        summary: `${SOURCE} has {{ $value }} connections left`,
        description: 'After those, ordinary roles get "sorry, too many clients already", this app and all others.',
        action:
          'See by state and application in pg_stat_activity who has them. Scale in or lower max; a pooler serves more clients ' +
          'with fewer connections. Raising max_connections needs a restart, and memory.',
      },
    }),
  ),
  {
    name: 'PoolguardIdleInTransaction',
    expr: `max ${OF_SOURCE} (${series('poolguard_server_longest_idle_in_transaction_seconds')}) >= ${DEFAULT_POOL_SETTINGS.leakThresholdMillis / 1_000}`,
    for: '0s',
    labels: { severity: 'warning' },
    annotations: {
      summary: `A transaction on ${SOURCE} is open for {{ $value | humanizeDuration }} without a query`,
      description: 'It keeps its locks and its connection, and keeps VACUUM from removing dead rows.',
      action:
        'Find it in pg_stat_activity by its state, application_name and last query, and end it (pg_terminate_backend). Then ' +
        'look for work between queries, such as a call to another service; idle_in_transaction_session_timeout bounds it.',
    },
  },
  {
    name: 'PoolguardSourceDown',
    expr: `(max ${OF_SOURCE} (${series(SOURCE_UP.name)}) or ${worstPgBouncer(EXPORTER_UP.name)}) < 1`,
    for: PATIENCE.warning,
    labels: { severity: 'warning' },
    annotations: {
      summary: `${SOURCE} does not answer when it is asked for its figures`,
      description: 'What the dashboard and the alerts say of it stands still.',
      action: 'Try its address and role from the app. Where it is down, the alerts of the pools tell the rest.',
    },
  },
]

/** How long its longest waiter may wait: critical is when the callers of pools before it give up. */
const PGBOUNCER_MAX_WAIT: Threshold = { warning: 1, critical: DEFAULT_POOL_SETTINGS.acquireTimeoutMillis / 1_000 }

function pgBouncerRules({ waiters }: HealthThresholds): AlertRule[] {
  const pool = `pool {{ $labels.database }}/{{ $labels.user }} of PgBouncer ${SOURCE}`
  return [
    ...graded('PoolguardPgBouncerClientsWaiting', waiters, {
      value: worstPgBouncer('pgbouncer_pools_client_waiting_connections', 'database', 'user'),
      annotations: {
        summary: `{{ $value }} clients wait for a server of ${pool}`,
        description:
          'All its server connections are in use. What waits here has a connection of an app pool in use, too.',
        action:
          'SHOW SERVERS and pg_stat_activity tell what holds them: long or idle transactions come first. Raise ' +
          'default_pool_size where PostgreSQL has room.',
      },
    }),
    ...graded('PoolguardPgBouncerMaxWait', PGBOUNCER_MAX_WAIT, {
      value: worstPgBouncer('pgbouncer_pools_client_maxwait_seconds', 'database', 'user'),
      annotations: {
        summary: `A client has waited {{ $value | humanizeDuration }} for a server of ${pool}`,
        description:
          'PgBouncer does not hand out servers as fast as clients ask; after query_wait_timeout it drops them.',
        action:
          'Check that PostgreSQL takes new connections at all, and that the pool is not paused; then as for clients waiting.',
      },
    }),
  ]
}

function worstPgBouncer(metric: string, ...labels: readonly string[]): string {
  return bySource('max', labels, (matchers) => series(metric, matchers))
}

/** JavaScript's own name of infinity would be that of a metric. */
function literal(value: number): string {
  return value === Infinity ? '+Inf' : String(value)
}

function inSeconds({ warning, critical }: Threshold): Threshold {
  return { warning: warning / 1_000, critical: critical / 1_000 }
}
