import {
  type PgBouncerDatabase,
  type PgBouncerPool,
  type PgBouncerSetting,
  type PgBouncerStats,
  pgBouncerSettingAsNumber,
} from '../topology/index.ts'
import type { ReadableMetric } from './metric.ts'
import { type MetricFamily, readFamilies } from './metric-family.ts'

/** The values of PgBouncer's admin console, as read by `PgBouncerConsole` of @poolguard/pg. */
export interface PgBouncerFigures {
  readonly version: string
  readonly pools: readonly PgBouncerPool[]
  readonly databases: readonly PgBouncerDatabase[]
  readonly stats: readonly PgBouncerStats[]
  readonly config: ReadonlyMap<string, PgBouncerSetting>
}

type Column<Row> = readonly [name: string, help: string, read: (row: Row) => number]

const POOLS: readonly Column<PgBouncerPool>[] = [
  [
    'client_active_connections',
    'Clients that are idle or linked to a server connection.',
    (pool) => pool.clientsActive,
  ],
  ['client_waiting_connections', 'Clients waiting for a server connection.', (pool) => pool.clientsWaiting],
  ['server_active_connections', 'Server connections linked to a client.', (pool) => pool.serversActive],
  ['server_idle_connections', 'Idle server connections.', (pool) => pool.serversIdle],
  [
    'server_used_connections',
    'Server connections idle for longer than server_check_delay, which are checked before use.',
    (pool) => pool.serversUsed,
  ],
  ['server_testing_connections', 'Server connections being reset or checked.', (pool) => pool.serversTested],
  ['server_login_connections', 'Server connections logging in.', (pool) => pool.serversLogin],
  ['client_maxwait_seconds', 'Wait time of the longest-waiting client.', (pool) => pool.maxWaitMillis / 1_000],
]

const STATS: readonly Column<PgBouncerStats>[] = [
  ['queries_pooled_total', 'Total number of queries.', (stats) => stats.queries],
  ['sql_transactions_pooled_total', 'Total number of transactions.', (stats) => stats.transactions],
  ['received_bytes_total', 'Bytes received from clients.', (stats) => stats.receivedBytes],
  ['sent_bytes_total', 'Bytes sent to clients.', (stats) => stats.sentBytes],
  [
    'queries_duration_seconds_total',
    'Time that server connections spent in queries.',
    (stats) => stats.queryMillis / 1_000,
  ],
  [
    'server_in_transaction_seconds_total',
    'Time that server connections spent in transactions.',
    (stats) => stats.transactionMillis / 1_000,
  ],
  [
    'client_wait_seconds_total',
    'Time that clients waited for a server connection.',
    (stats) => stats.waitMillis / 1_000,
  ],
]

const DATABASES: readonly Column<PgBouncerDatabase>[] = [
  ['pool_size', 'Maximum server connections per user.', (database) => database.poolSize],
  [
    'reserve_pool',
    'Additional server connections for clients that wait longer than reserve_pool_timeout.',
    (database) => database.reservePoolSize,
  ],
  [
    'max_connections',
    'Maximum server connections of all users; 0 means no limit.',
    (database) => database.maxConnections,
  ],
  ['current_connections', 'Open server connections.', (database) => database.currentConnections],
  ['paused', '1 while the database is paused, else 0.', (database) => Number(database.paused)],
  ['disabled', '1 while the database is disabled, else 0.', (database) => Number(database.disabled)],
]

const CONFIG: readonly (readonly [key: string, name: string, help: string])[] = [
  ['max_client_conn', 'pgbouncer_config_max_client_connections', 'Maximum client connections.'],
  [
    'max_user_connections',
    'pgbouncer_config_max_user_connections',
    'Maximum server connections per user; 0 means no limit.',
  ],
]

/**
 * PgBouncer's metrics under the names of pgbouncer_exporter 0.12, so that its dashboards and alerts work with them.
 *
 * @see https://github.com/prometheus-community/pgbouncer_exporter
 */
export const PGBOUNCER_METRICS: readonly ReadableMetric<PgBouncerFigures>[] = [
  ...ofColumns('pgbouncer_pools', 'gauge', POOLS, ({ pools }) => pools, {
    database: (pool) => pool.database,
    user: (pool) => pool.user,
  }),
  ...ofColumns('pgbouncer_stats_totals', 'counter', STATS, ({ stats }) => stats, {
    database: (stats) => stats.database,
  }),
  ...ofColumns('pgbouncer_databases', 'gauge', DATABASES, ({ databases }) => databases, {
    name: ({ name }) => name,
    host: ({ host }) => host ?? '',
    port: ({ port }) => String(port),
    database: ({ database }) => database,
    force_user: ({ forceUser }) => forceUser ?? '',
    pool_mode: ({ poolMode }) => poolMode ?? '',
  }),
  ...CONFIG.map(([key, name, help]): ReadableMetric<PgBouncerFigures> => {
    const read: ReadableMetric<PgBouncerFigures>['read'] = ({ config }) => {
      const value = pgBouncerSettingAsNumber(config, key)
      return value === undefined ? [] : [{ labels: {}, value }]
    }
    return { name, type: 'gauge', help, read }
  }),
  {
    name: 'pgbouncer_version_info',
    type: 'gauge',
    help: 'The version of PgBouncer.',
    labels: ['version'],
    read: ({ version }) => [{ labels: { version }, value: 1 }],
  },
]

export function pgBouncerMetrics(figures: PgBouncerFigures): MetricFamily[] {
  return readFamilies(PGBOUNCER_METRICS, figures)
}

function ofColumns<Row>(
  prefix: string,
  type: 'gauge' | 'counter',
  columns: readonly Column<Row>[],
  rowsOf: (figures: PgBouncerFigures) => readonly Row[],
  labels: Readonly<Record<string, (row: Row) => string>>,
): ReadableMetric<PgBouncerFigures>[] {
  const labelsOf = (row: Row) => Object.fromEntries(Object.entries(labels).map(([name, read]) => [name, read(row)]))
  return columns.map(([name, help, read]) => ({
    name: `${prefix}_${name}`,
    type,
    help,
    labels: Object.keys(labels),
    read: (figures) => rowsOf(figures).map((row) => ({ labels: labelsOf(row), value: read(row) })),
  }))
}
