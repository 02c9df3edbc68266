import {
  type PgBouncerDatabase,
  type PgBouncerPool,
  type PgBouncerSetting,
  type PgBouncerStats,
  pgBouncerSettingAsNumber,
} from '../topology/index.ts'
import type { ReadableMetric } from './metric-definitions.ts'
import { type MetricFamily, readFamilies } from './metric-family.ts'

/** What PgBouncer's console tells, as `PgBouncerConsole` of @poolguard/pg reads it. */
export interface PgBouncerFigures {
  readonly version: string
  readonly pools: readonly PgBouncerPool[]
  readonly databases: readonly PgBouncerDatabase[]
  readonly stats: readonly PgBouncerStats[]
  readonly config: ReadonlyMap<string, PgBouncerSetting>
}

type Column<Row> = readonly [name: string, help: string, read: (row: Row) => number]

const POOLS: readonly Column<PgBouncerPool>[] = [
  ['client_active_connections', 'Clients linked to a server, or idle.', (pool) => pool.clientsActive],
  ['client_waiting_connections', 'Clients that wait for a server.', (pool) => pool.clientsWaiting],
  ['server_active_connections', 'Servers linked to a client.', (pool) => pool.serversActive],
  ['server_idle_connections', 'Servers that are free.', (pool) => pool.serversIdle],
  ['server_used_connections', 'Servers idle for so long that they are checked before use.', (pool) => pool.serversUsed],
  ['server_testing_connections', 'Servers being reset or checked.', (pool) => pool.serversTested],
  ['server_login_connections', 'Servers being logged in to.', (pool) => pool.serversLogin],
  [
    'client_maxwait_seconds',
    'How long the client that waits longest has waited.',
    (pool) => pool.maxWaitMillis / 1_000,
  ],
]

const STATS: readonly Column<PgBouncerStats>[] = [
  ['queries_pooled_total', 'Queries.', (stats) => stats.queries],
  ['sql_transactions_pooled_total', 'Transactions.', (stats) => stats.transactions],
  ['received_bytes_total', 'Bytes from clients.', (stats) => stats.receivedBytes],
  ['sent_bytes_total', 'Bytes to clients.', (stats) => stats.sentBytes],
  ['queries_duration_seconds_total', 'Time that servers ran queries.', (stats) => stats.queryMillis / 1_000],
  [
    'server_in_transaction_seconds_total',
    'Time that servers were in a transaction.',
    (stats) => stats.transactionMillis / 1_000,
  ],
  ['client_wait_seconds_total', 'Time that clients waited for a server.', (stats) => stats.waitMillis / 1_000],
]

const DATABASES: readonly Column<PgBouncerDatabase>[] = [
  ['pool_size', 'Most servers for each user.', (database) => database.poolSize],
  ['reserve_pool', 'Servers beyond that, for clients that wait too long.', (database) => database.reservePoolSize],
  ['max_connections', 'Most servers for all users; 0 is no limit.', (database) => database.maxConnections],
  ['current_connections', 'Servers open.', (database) => database.currentConnections],
  ['paused', '1 while it is paused.', (database) => Number(database.paused)],
  ['disabled', '1 while it is disabled.', (database) => Number(database.disabled)],
]

const CONFIG: readonly (readonly [key: string, name: string, help: string])[] = [
  ['max_client_conn', 'pgbouncer_config_max_client_connections', 'Most clients.'],
  ['max_user_connections', 'pgbouncer_config_max_user_connections', 'Most servers for a user; 0 is no limit.'],
]

/**
 * PgBouncer's figures under the names of pgbouncer_exporter 0.12, so that its dashboards and alerts serve.
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
    help: "PgBouncer's version.",
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
