import { type HealthThreshold, type HealthThresholds, POOL_LABEL, SOURCE_LABEL, STATE_LABEL } from '../observe/index.ts'
import { byPgBouncer, byPool, byServer, chosen, ofPools, type Query, rate } from './panel-queries.ts'
import { EXPORTER_UP } from './promql.ts'

/** The content of one panel. */
export interface PanelDefinition {
  readonly title: string
  /** Grafana's name of the unit: `short`, `s`, `percentunit`, `ops`, `Bps`. */
  readonly unit: string
  readonly queries: readonly Query[]
  /** The panel shows them as lines. */
  readonly thresholds?: HealthThreshold
  /** Whether the curves add up to a total. */
  readonly stacked?: boolean
}

export interface RowDefinition {
  readonly title: string
  readonly panels: readonly PanelDefinition[]
}

const POOL = `{{job}} {{${POOL_LABEL}}}`
const SOURCE = `{{job}} {{${SOURCE_LABEL}}}`
const DATABASE = `${SOURCE} {{database}}`
const PGBOUNCER_POOL = `${SOURCE} {{database}}/{{user}}`

/** A percentile over all instances. */
function percentile(histogram: string, share: number): Query {
  const buckets = byPool('sum', rate(ofPools(`${histogram}_bucket`)), 'le')
  return { expr: `histogram_quantile(${share}, ${buckets})`, legend: `${POOL} p${share * 100}` }
}

function percentiles(title: string, histogram: string): PanelDefinition {
  return { title, unit: 's', queries: [0.5, 0.95, 0.99].map((share) => percentile(histogram, share)) }
}

/** Events per second, by pool. */
function events(title: string, ...counters: readonly (readonly [name: string, legend: string])[]): PanelDefinition {
  const queries = counters.map(([name, legend]) => ({
    expr: byPool('sum', rate(ofPools(name))),
    legend: `${POOL} ${legend}`,
  }))
  return { title, unit: 'ops', queries }
}

/** Five rows: pools, their lanes, PostgreSQL, PgBouncer, and waits by route or job. */
export function dashboardRows(thresholds: HealthThresholds): RowDefinition[] {
  return [
    { title: 'Pools', panels: poolPanels(thresholds) },
    { title: 'Lanes', panels: LANE_PANELS },
    { title: 'PostgreSQL', panels: SERVER_PANELS },
    { title: 'PgBouncer', panels: pgBouncerPanels(thresholds) },
    { title: 'Routes and jobs', panels: LABEL_PANELS },
  ]
}

/** Counts are sums over all instances. A panel with thresholds shows the worst instance, since thresholds apply to one instance. */
function poolPanels(thresholds: HealthThresholds): PanelDefinition[] {
  const { warning, critical } = thresholds.meanWaitMillis
  const waited = (part: 'sum' | 'count') => rate(ofPools(`db_client_connection_wait_time_seconds_${part}`))
  const failures = `sum without (failure) (${rate(ofPools('poolguard_connect_failures_total'))})`
  return [
    {
      title: 'Connections',
      unit: 'short',
      queries: [
        {
          expr: byPool('sum', ofPools('db_client_connection_count'), STATE_LABEL),
          legend: `${POOL} {{${STATE_LABEL}}}`,
        },
        { expr: byPool('sum', ofPools('db_client_connection_max')), legend: `${POOL} max` },
        { expr: byPool('sum', ofPools('poolguard_connections_limit')), legend: `${POOL} limit` },
        { expr: byPool('sum', ofPools('db_client_connection_idle_min')), legend: `${POOL} min` },
      ],
    },
    {
      title: 'Adaptive limit: the best, and the one compared with it last',
      unit: 'short',
      queries: [
        { expr: byPool('sum', ofPools('poolguard_adaptive_limit')), legend: `${POOL} best` },
        { expr: byPool('max', ofPools('poolguard_fleet_adaptive_limit')), legend: `${POOL} best of the fleet` },
        { expr: byPool('max', ofPools('poolguard_adaptive_candidate')), legend: `${POOL} compared` },
      ],
    },
    {
      title: 'Adaptive limit: throughput of the compared limit over the best, and confidence',
      unit: 'percentunit',
      queries: [
        { expr: byPool('max', ofPools('poolguard_adaptive_throughput_ratio')), legend: `${POOL} throughput` },
        { expr: byPool('max', ofPools('poolguard_adaptive_confidence')), legend: `${POOL} confidence` },
      ],
    },
    {
      title: 'Shares of the fleet budget',
      unit: 'short',
      queries: [
        { expr: byPool('sum', ofPools('poolguard_fleet_share')), legend: `${POOL} share` },
        { expr: byPool('sum', ofPools('poolguard_fleet_demand')), legend: `${POOL} demand` },
        { expr: byPool('max', ofPools('poolguard_fleet_instances')), legend: `${POOL} instances` },
      ],
    },
    {
      title: 'Share in use (worst instance)',
      unit: 'percentunit',
      thresholds: thresholds.activeShare,
      queries: [
        {
          expr: byPool(
            'max',
            `${rate(ofPools('poolguard_use_seconds_total'))} / ${rate(ofPools('poolguard_capacity_seconds_total'))}`,
          ),
          legend: POOL,
        },
      ],
    },
    {
      title: 'Waiters (worst instance)',
      unit: 'short',
      thresholds: thresholds.waiters,
      queries: [
        { expr: byPool('max', ofPools('db_client_connection_pending_requests')), legend: POOL },
        { expr: byPool('max', ofPools('poolguard_overloaded')), legend: `${POOL} overloaded` },
      ],
    },
    {
      title: 'Mean wait (worst instance)',
      unit: 's',
      thresholds: { warning: warning / 1_000, critical: critical / 1_000 },
      queries: [{ expr: byPool('max', `${waited('sum')} / ${waited('count')}`), legend: POOL }],
    },
    percentiles('Wait time', 'db_client_connection_wait_time_seconds'),
    percentiles('Checkout duration', 'db_client_connection_use_time_seconds'),
    {
      title: 'Oldest checkout',
      unit: 's',
      queries: [{ expr: byPool('max', ofPools('poolguard_longest_lease_seconds')), legend: POOL }],
    },
    {
      title: 'Lag of replicas (worst instance)',
      unit: 's',
      queries: [{ expr: `max by (replica) (${ofPools('poolguard_replica_lag_seconds')})`, legend: '{{replica}}' }],
    },
    {
      title: 'Reads on replicas, and in place of them on the primary',
      unit: 'ops',
      queries: [
        { expr: `sum by (replica) (${rate(ofPools('poolguard_replica_reads_total'))})`, legend: '{{replica}}' },
        { expr: byPool('sum', rate(ofPools('poolguard_reads_on_primary_total'))), legend: `${POOL} primary` },
        {
          expr: `min by (replica) (${ofPools('poolguard_replica_usable')})`,
          legend: '{{replica}} usable (1) or not (0)',
        },
      ],
    },
    {
      title: 'SQLite WAL size (largest instance)',
      unit: 'bytes',
      queries: [
        { expr: byPool('max', ofPools('poolguard_wal_bytes')), legend: POOL },
        { expr: byPool('max', ofPools('poolguard_wal_max_bytes')), legend: `${POOL} maxWalBytes` },
      ],
    },
    {
      title: 'Suspected leaks (checked out now)',
      unit: 'short',
      queries: [{ expr: byPool('sum', ofPools('poolguard_suspected_leases')), legend: POOL }],
    },
    percentiles('Connect time', 'db_client_connection_create_time_seconds'),
    {
      title: 'Connections connecting, validating and closing',
      unit: 'short',
      queries: [
        { expr: byPool('sum', ofPools('poolguard_connections_connecting')), legend: `${POOL} connecting` },
        { expr: byPool('sum', ofPools('poolguard_connections_validating')), legend: `${POOL} validating` },
        { expr: byPool('sum', ofPools('poolguard_connections_closing')), legend: `${POOL} closing` },
      ],
    },
    events(
      'Connections opened and closed',
      ['poolguard_connections_opened_total', 'opened'],
      ['poolguard_connections_closed_total', 'closed'],
    ),
    {
      title: 'Failed connection attempts (worst instance)',
      unit: 'percentunit',
      thresholds: thresholds.connectErrorShare,
      queries: [
        {
          expr: byPool('max', `${failures} / (${failures} + ${rate(ofPools('poolguard_connections_opened_total'))})`),
          legend: POOL,
        },
      ],
    },
    {
      title: 'Failed connection attempts by cause',
      unit: 'ops',
      queries: [
        {
          expr: byPool('sum', rate(ofPools('poolguard_connect_failures_total')), 'failure'),
          legend: `${POOL} {{failure}}`,
        },
      ],
    },
    events(
      'Failed acquires',
      ['db_client_connection_timeouts_total', 'timeouts'],
      ['poolguard_saturated_total', 'rejected'],
      ['poolguard_callers_shed_total', 'shed'],
    ),
    {
      title: 'Requests shed',
      unit: 'ops',
      queries: [{ expr: `sum by (job) (${rate(chosen('poolguard_requests_shed_total'))})`, legend: '{{job}}' }],
    },
    events(
      'Pipelined statements',
      ['poolguard_pipelined_statements_total', 'sent behind others'],
      ['poolguard_pipeline_stalls_total', 'stalls'],
    ),
    {
      title: 'Statements in flight on shared connections',
      unit: 'short',
      queries: [{ expr: byPool('sum', ofPools('poolguard_pipelined_in_flight')), legend: POOL }],
    },
    events(
      'Leaks, deadlocks and session state',
      ['poolguard_leaks_total', 'suspected leaks'],
      ['poolguard_deadlocks_total', 'deadlocks'],
      ['poolguard_dirty_releases_total', 'dirty releases'],
      ['poolguard_session_state_findings_total', 'statements that depend on their session'],
    ),
  ]
}

const ofLanes = (name: string) => byPool('sum', ofPools(name), 'lane')
const LANE = `${POOL} {{lane}}`
const laneWaits = (part: 'sum' | 'count') => byPool('sum', rate(ofPools(`poolguard_lane_wait_seconds_${part}`)), 'lane')

const LANE_PANELS: readonly PanelDefinition[] = [
  {
    title: 'Connections in use by lane',
    unit: 'short',
    queries: [
      { expr: ofLanes('poolguard_lane_connections'), legend: LANE },
      { expr: ofLanes('poolguard_lane_connections_max'), legend: `${LANE} max` },
      { expr: ofLanes('poolguard_lane_connections_reserved'), legend: `${LANE} reserve` },
    ],
  },
  {
    title: 'Waiters by lane (worst instance)',
    unit: 'short',
    queries: [
      { expr: byPool('max', ofPools('poolguard_lane_pending_requests'), 'lane'), legend: LANE },
      { expr: byPool('max', ofPools('poolguard_lane_overloaded'), 'lane'), legend: `${LANE} overloaded` },
    ],
  },
  {
    title: 'Mean wait by lane',
    unit: 's',
    queries: [{ expr: `${laneWaits('sum')} / ${laneWaits('count')}`, legend: LANE }],
  },
  {
    title: 'Rejected callers by lane',
    unit: 'ops',
    queries: [
      {
        expr: byPool('sum', rate(ofPools('poolguard_lane_rejected_total')), 'lane', 'reason'),
        legend: `${LANE} {{reason}}`,
      },
    ],
  },
]

const SERVER_PANELS: readonly PanelDefinition[] = [
  {
    title: 'Connections by state',
    unit: 'short',
    stacked: true,
    queries: [{ expr: byServer('max', 'poolguard_server_connections', 'state'), legend: `${SOURCE} {{state}}` }],
  },
  {
    title: 'Free connections',
    unit: 'short',
    queries: [
      { expr: byServer('min', 'poolguard_server_free_connections'), legend: `${SOURCE} free` },
      { expr: byServer('max', 'poolguard_server_max_connections'), legend: `${SOURCE} max_connections` },
    ],
  },
  {
    title: 'Oldest transaction',
    unit: 's',
    queries: [
      { expr: byServer('max', 'poolguard_server_oldest_transaction_seconds', 'state'), legend: `${SOURCE} {{state}}` },
    ],
  },
  {
    title: 'Longest idle in transaction',
    unit: 's',
    queries: [{ expr: byServer('max', 'poolguard_server_longest_idle_in_transaction_seconds'), legend: SOURCE }],
  },
  {
    title: 'Sources up',
    unit: 'short',
    queries: [
      { expr: `${byServer('min', 'poolguard_source_up')} or ${byPgBouncer(EXPORTER_UP.name)}`, legend: SOURCE },
    ],
  },
]

function pgBouncerPanels({ waiters }: HealthThresholds): PanelDefinition[] {
  const pools = (column: string) => byPgBouncer(`pgbouncer_pools_${column}`, ['database', 'user'])
  const perSecond = (column: string) => byPgBouncer(`pgbouncer_stats_totals_${column}`, ['database'], rate)
  const mean = (seconds: string, count: string) => `${perSecond(seconds)} / ${perSecond(count)}`
  return [
    {
      title: 'Clients',
      unit: 'short',
      queries: [
        { expr: pools('client_active_connections'), legend: `${PGBOUNCER_POOL} active` },
        { expr: byPgBouncer('pgbouncer_config_max_client_connections'), legend: `${SOURCE} max` },
      ],
    },
    {
      title: 'Waiting clients',
      unit: 'short',
      thresholds: waiters,
      queries: [{ expr: pools('client_waiting_connections'), legend: PGBOUNCER_POOL }],
    },
    {
      title: 'Longest wait',
      unit: 's',
      queries: [{ expr: pools('client_maxwait_seconds'), legend: PGBOUNCER_POOL }],
    },
    {
      title: 'Server connections',
      unit: 'short',
      stacked: true,
      queries: ['active', 'idle', 'used', 'testing', 'login'].map((state) => ({
        expr: pools(`server_${state}_connections`),
        legend: `${PGBOUNCER_POOL} ${state}`,
      })),
    },
    {
      title: 'Server connections and their limits',
      unit: 'short',
      queries: ['current_connections', 'pool_size', 'reserve_pool', 'max_connections'].map((column) => ({
        expr: byPgBouncer(`pgbouncer_databases_${column}`, ['name']),
        legend: `${SOURCE} {{name}} ${column}`,
      })),
    },
    {
      title: 'Queries and transactions',
      unit: 'ops',
      queries: [
        { expr: perSecond('queries_pooled_total'), legend: `${DATABASE} queries` },
        { expr: perSecond('sql_transactions_pooled_total'), legend: `${DATABASE} transactions` },
      ],
    },
    {
      title: 'Mean durations',
      unit: 's',
      queries: [
        { expr: mean('queries_duration_seconds_total', 'queries_pooled_total'), legend: `${DATABASE} query` },
        {
          expr: mean('server_in_transaction_seconds_total', 'sql_transactions_pooled_total'),
          legend: `${DATABASE} transaction`,
        },
        { expr: mean('client_wait_seconds_total', 'sql_transactions_pooled_total'), legend: `${DATABASE} wait` },
      ],
    },
    {
      title: 'Traffic',
      unit: 'Bps',
      queries: [
        { expr: perSecond('received_bytes_total'), legend: `${DATABASE} from clients` },
        { expr: perSecond('sent_bytes_total'), legend: `${DATABASE} to clients` },
      ],
    },
  ]
}

/** The number of curves that a reader can distinguish. */
const MAX_LABELS = 10

function top(expr: string): Query {
  return { expr: `topk(${MAX_LABELS}, ${expr})`, legend: `${POOL} {{label}}` }
}

const LABELLED_WAIT = byPool('sum', rate(ofPools('poolguard_labelled_wait_seconds_total')), 'label')
const LABELLED_ACQUIRES = byPool('sum', rate(ofPools('poolguard_labelled_acquires_total')), 'label')

const LABELLED_LEASES = byPool('sum', rate(ofPools('poolguard_labelled_lease_seconds_total')), 'label')

const LABEL_PANELS: readonly PanelDefinition[] = [
  {
    title: 'What connections in use do',
    unit: 'short',
    stacked: true,
    queries: [
      {
        expr: byPool('sum', rate(ofPools('poolguard_lease_seconds_total')), 'activity'),
        legend: `${POOL} {{activity}}`,
      },
    ],
  },
  { title: 'Connections in use', unit: 'short', stacked: true, queries: [top(LABELLED_LEASES)] },
  { title: 'Acquires', unit: 'ops', queries: [top(LABELLED_ACQUIRES)] },
  { title: 'Mean number of waiters', unit: 'short', stacked: true, queries: [top(LABELLED_WAIT)] },
  { title: 'Mean wait', unit: 's', queries: [top(`${LABELLED_WAIT} / ${LABELLED_ACQUIRES}`)] },
]
