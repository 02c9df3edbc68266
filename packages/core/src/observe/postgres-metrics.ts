import { type RowReader, readRows } from '../row-reader.ts'
import type { MetricSample, ReadableMetric } from './metric-definitions.ts'
import { type MetricFamily, readFamilies } from './metric-family.ts'

/** A row of {@link ACTIVITY_QUERY}. */
interface ActivityRow {
  readonly state: string
  readonly count: number
  /** How long the oldest of them has been in its transaction; 0 where none is in one. */
  readonly oldestSeconds: number
  /** How long one of them has been in a transaction without a query; 0 where none is. */
  readonly longestIdleInTransactionSeconds: number
  /** The same in every row. */
  readonly maxConnections: number
  readonly reserved: number
}

/**
 * What PostgreSQL's own side of the connections looks like, by state, in one query that any role may run. Who is not a
 * member of pg_read_all_stats sees others' sessions without their state, as `unknown`, and workers among them: those
 * are not told apart for him, and else they do not count, since they take none of max_connections.
 *
 * @see https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
 */
export const ACTIVITY_QUERY = `
select coalesce(state, 'unknown') as "state", pg_catalog.count(*)::int as "count",
       coalesce(extract(epoch from pg_catalog.max(pg_catalog.clock_timestamp() operator(pg_catalog.-) xact_start)), 0)::double precision
         as "oldestSeconds",
       coalesce(extract(epoch from pg_catalog.max(pg_catalog.clock_timestamp() operator(pg_catalog.-) state_change)
         filter (where pg_catalog.starts_with(state, 'idle in transaction'))), 0)::double precision
         as "longestIdleInTransactionSeconds",
       pg_catalog.current_setting('max_connections')::int as "maxConnections",
       pg_catalog.current_setting('superuser_reserved_connections')::int
         operator(pg_catalog.+) coalesce(pg_catalog.current_setting('reserved_connections', true)::int, 0) as "reserved"
  from pg_catalog.pg_stat_activity
 where datname is not null
   and coalesce(backend_type, 'client backend') operator(pg_catalog.=) 'client backend'
 group by 1`

type Rows = readonly ActivityRow[]

/** PostgreSQL's side of the connections. */
export const SERVER_METRICS: readonly ReadableMetric<Rows>[] = [
  {
    name: 'poolguard_server_connections',
    type: 'gauge',
    help: "Connections of all clients, by PostgreSQL's state.",
    labels: ['state'],
    read: byState(({ count }) => count),
  },
  {
    name: 'poolguard_server_oldest_transaction_seconds',
    type: 'gauge',
    help: 'How long the oldest transaction of the clients in a state is open.',
    labels: ['state'],
    read: byState(({ oldestSeconds }) => oldestSeconds),
  },
  {
    name: 'poolguard_server_longest_idle_in_transaction_seconds',
    type: 'gauge',
    help: 'How long a transaction has been open without a query, the longest of the clients.',
    read: once((_, rows) => rows.reduce((most, row) => Math.max(most, row.longestIdleInTransactionSeconds), 0)),
  },
  {
    name: 'poolguard_server_max_connections',
    type: 'gauge',
    help: 'max_connections.',
    read: once(({ maxConnections }) => maxConnections),
  },
  {
    name: 'poolguard_server_free_connections',
    type: 'gauge',
    help: 'Connections left before ordinary roles are refused.',
    read: once(({ maxConnections, reserved }, rows) => {
      const used = rows.reduce((sum, { count }) => sum + count, 0)
      return Math.max(0, maxConnections - reserved - used)
    }),
  },
]

/**
 * The metrics of an answer to {@link ACTIVITY_QUERY}.
 *
 * @throws {InvalidAnswerError} where a column is missing or holds what cannot be.
 */
export function postgresMetrics(rows: readonly unknown[]): MetricFamily[] {
  return readFamilies(SERVER_METRICS, readRows('the query for the connections', rows, readActivity))
}

function readActivity(row: RowReader): ActivityRow {
  return {
    state: row.text('state'),
    count: row.integer('count'),
    oldestSeconds: row.duration('oldestSeconds'),
    longestIdleInTransactionSeconds: row.duration('longestIdleInTransactionSeconds'),
    maxConnections: row.integer('maxConnections'),
    reserved: row.integer('reserved'),
  }
}

/** One series for each state. */
function byState(read: (row: ActivityRow) => number): (rows: Rows) => MetricSample[] {
  return (rows) => rows.map((row) => ({ labels: { state: row.state }, value: read(row) }))
}

/** What is the same in every row. */
function once(read: (row: ActivityRow, rows: Rows) => number): (rows: Rows) => MetricSample[] {
  return (rows) => rows.slice(0, 1).map((row) => ({ labels: {}, value: read(row, rows) }))
}
