import type { PgBouncerDatabase, PgBouncerPool, PgBouncerSetting, PgBouncerStats } from '../topology/index.ts'
import type { MetricFamily } from './metric-family.ts'

/** What PgBouncer's console tells, as {@link PgBouncerConsole} of @poolguard/pg reads it. */
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
export function pgBouncerMetrics({ version, pools, databases, stats, config }: PgBouncerFigures): MetricFamily[] {
  return [
    ...families('pgbouncer_pools', 'gauge', POOLS, pools, ({ database, user }) => ({ database, user })),
    ...families('pgbouncer_stats_totals', 'counter', STATS, stats, ({ database }) => ({ database })),
    ...families('pgbouncer_databases', 'gauge', DATABASES, databases, (each) => ({
      ...{ name: each.name, host: each.host ?? '', port: String(each.port), database: each.database },
      ...{ force_user: each.forceUser ?? '', pool_mode: each.poolMode ?? '' },
    })),
    ...CONFIG.flatMap(([key, name, help]): MetricFamily[] => {
      const value = config.get(key)?.value
      return value === undefined ? [] : [{ name, help, type: 'gauge', samples: [{ labels: {}, value: Number(value) }] }]
    }),
    {
      name: 'pgbouncer_version_info',
      help: "PgBouncer's version.",
      type: 'gauge',
      samples: [{ labels: { version }, value: 1 }],
    },
  ]
}

function families<Row>(
  prefix: string,
  type: 'gauge' | 'counter',
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  labelsOf: (row: Row) => Readonly<Record<string, string>>,
): MetricFamily[] {
  return columns.map(([name, help, read]) => ({
    name: `${prefix}_${name}`,
    type,
    help,
    samples: rows.map((row) => ({ labels: labelsOf(row), value: read(row) })),
  }))
}
