import { type RowReader, readRows } from '../row-reader.ts'
import type { MetricSample, ReadableMetric } from './metric.ts'
import { type MetricFamily, readFamilies } from './metric-family.ts'

/** A row of {@link ACTIVITY_QUERY}. */
interface ActivityRow {
  readonly state: string
  readonly count: number
  /** Age of the oldest transaction in this state; 0 if there is none. */
  readonly oldestSeconds: number
  /** The longest time that a connection has been idle in a transaction; 0 if there is none. */
  readonly longestIdleInTransactionSeconds: number
  /** Equal in all rows. */
  readonly maxConnections: number
  /** Equal in all rows. */
  readonly reserved: number
}

/**
 * Counts the server's connections by state, in one query that any role may run. A role that is not a member of
 * pg_read_all_stats sees the sessions of other roles without their state (here `unknown`), and cannot distinguish worker
 * processes from clients. For all other roles workers do not count, since they use no slot of max_connections.
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

/** The metrics of a PostgreSQL server. */
export const SERVER_METRICS: readonly ReadableMetric<Rows>[] = [
  {
    name: 'poolguard_server_connections',
    type: 'gauge',
    help: 'Connections of all clients, by their state in pg_stat_activity.',
    labels: ['state'],
    read: byState(({ count }) => count),
  },
  {
    name: 'poolguard_server_oldest_transaction_seconds',
    type: 'gauge',
    help: 'Age of the oldest transaction, by state of the client.',
    labels: ['state'],
    read: byState(({ oldestSeconds }) => oldestSeconds),
  },
  {
    name: 'poolguard_server_longest_idle_in_transaction_seconds',
    type: 'gauge',
    help: 'Longest time that a client has been idle in a transaction.',
    read: fromFirstRow((_, rows) => rows.reduce((most, row) => Math.max(most, row.longestIdleInTransactionSeconds), 0)),
  },
  {
    name: 'poolguard_server_max_connections',
    type: 'gauge',
    help: "The server's max_connections.",
    read: fromFirstRow(({ maxConnections }) => maxConnections),
  },
  {
    name: 'poolguard_server_free_connections',
    type: 'gauge',
    help: 'Connections that ordinary roles can still open.',
    read: fromFirstRow(({ maxConnections, reserved }, rows) => {
      const used = rows.reduce((sum, { count }) => sum + count, 0)
      return Math.max(0, maxConnections - reserved - used)
    }),
  },
]

/**
 * Turns the result of {@link ACTIVITY_QUERY} into metrics.
 *
 * @throws {InvalidAnswerError} if a column is missing or has an invalid value.
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

/** One series, from the first row: the value is equal in all rows. */
function fromFirstRow(read: (row: ActivityRow, rows: Rows) => number): (rows: Rows) => MetricSample[] {
  return (rows) => rows.slice(0, 1).map((row) => ({ labels: {}, value: read(row, rows) }))
}
