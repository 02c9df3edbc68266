/** PgBouncer's own database, whose queries are commands. */
export const PGBOUNCER_CONSOLE = 'pgbouncer'

/** A row as a driver gives it: columns by name, numbers perhaps as text. */
export type ShowRow = Readonly<Record<string, unknown>>

/** One pool of PgBouncer: a database and a user. From `SHOW POOLS` (https://www.pgbouncer.org/usage.html#show-pools). */
export interface PgBouncerPool {
  readonly database: string
  readonly user: string
  readonly poolMode: string
  /** Clients that are linked to a server, or idle without waiting for one. */
  readonly clientsActive: number
  /** Clients that wait for a server. */
  readonly clientsWaiting: number
  readonly serversActive: number
  readonly serversIdle: number
  readonly serversUsed: number
  readonly serversTested: number
  readonly serversLogin: number
  /** How long the client that waits longest has waited. */
  readonly maxWaitMillis: number
}

/** One client of PgBouncer, from `SHOW CLIENTS`; those of the console are among them. */
export interface PgBouncerClient {
  readonly database: string
  readonly user: string
  /** Empty where it has given none. */
  readonly applicationName: string
}

/** One database of PgBouncer, from `SHOW DATABASES`. */
export interface PgBouncerDatabase {
  readonly name: string
  readonly host: string | null
  readonly port: number
  readonly database: string
  /** Null where the pool goes by the client's user. */
  readonly forceUser: string | null
  readonly poolSize: number
  readonly minPoolSize: number
  readonly reservePoolSize: number
  /** Null where the database has none of its own and the global one holds. */
  readonly poolMode: string | null
  /** Most server connections; 0 means no limit. */
  readonly maxConnections: number
  readonly currentConnections: number
  /** Most client connections; 0 means no limit. Before 1.24 there was none. */
  readonly maxClientConnections: number
  readonly paused: boolean
  readonly disabled: boolean
}

/** Totals of one database since PgBouncer was started, from `SHOW STATS`. */
export interface PgBouncerStats {
  readonly database: string
  readonly transactions: number
  readonly queries: number
  readonly receivedBytes: number
  readonly sentBytes: number
  /** Time that server connections were in a transaction. */
  readonly transactionMillis: number
  readonly queryMillis: number
  /** Time that clients waited for a server. */
  readonly waitMillis: number
}

export interface PgBouncerSetting {
  readonly value: string
  /** Null in versions that do not tell. */
  readonly default: string | null
  /** Whether a reload is enough. */
  readonly changeable: boolean
}

/** `PgBouncer 1.24.1` -> `1.24.1` */
export function readPgBouncerVersion(rows: readonly ShowRow[]): string {
  const text = String(rows[0]?.version ?? '')
  return /(\d+(?:\.\d+)+)/.exec(text)?.[1] ?? text
}

export function readPgBouncerPools(rows: readonly ShowRow[]): PgBouncerPool[] {
  return rows.map((row) => ({
    database: text(row, 'database'),
    user: text(row, 'user'),
    poolMode: text(row, 'pool_mode'),
    clientsActive: number(row, 'cl_active'),
    clientsWaiting: number(row, 'cl_waiting'),
    serversActive: number(row, 'sv_active'),
    serversIdle: number(row, 'sv_idle'),
    serversUsed: number(row, 'sv_used'),
    serversTested: number(row, 'sv_tested'),
    serversLogin: number(row, 'sv_login'),
    maxWaitMillis: number(row, 'maxwait') * 1_000 + number(row, 'maxwait_us') / 1_000,
  }))
}

/** With `application_name_add_host` a name is followed by where the client is. */
const ADDED_HOST = / - \S+:\d+$/

export function readPgBouncerClients(rows: readonly ShowRow[]): PgBouncerClient[] {
  return rows.map((row) => ({
    database: text(row, 'database'),
    user: text(row, 'user'),
    applicationName: text(row, 'application_name').replace(ADDED_HOST, ''),
  }))
}

export function readPgBouncerDatabases(rows: readonly ShowRow[]): PgBouncerDatabase[] {
  return rows.map((row) => ({
    name: text(row, 'name'),
    host: textOrNull(row, 'host'),
    port: number(row, 'port'),
    database: text(row, 'database'),
    forceUser: textOrNull(row, 'force_user'),
    poolSize: number(row, 'pool_size'),
    minPoolSize: number(row, 'min_pool_size'),
    // Renamed in 1.24.
    reservePoolSize: number(row, 'reserve_pool_size' in row ? 'reserve_pool_size' : 'reserve_pool'),
    poolMode: textOrNull(row, 'pool_mode'),
    maxConnections: number(row, 'max_connections'),
    currentConnections: number(row, 'current_connections'),
    maxClientConnections: number(row, 'max_client_connections'),
    paused: number(row, 'paused') === 1,
    disabled: number(row, 'disabled') === 1,
  }))
}

/** Times come in microseconds. */
export function readPgBouncerStats(rows: readonly ShowRow[]): PgBouncerStats[] {
  return rows.map((row) => ({
    database: text(row, 'database'),
    transactions: number(row, 'total_xact_count'),
    queries: number(row, 'total_query_count'),
    receivedBytes: number(row, 'total_received'),
    sentBytes: number(row, 'total_sent'),
    transactionMillis: number(row, 'total_xact_time') / 1_000,
    queryMillis: number(row, 'total_query_time') / 1_000,
    waitMillis: number(row, 'total_wait_time') / 1_000,
  }))
}

export function readPgBouncerConfig(rows: readonly ShowRow[]): Map<string, PgBouncerSetting> {
  return new Map(
    rows.map((row) => [
      text(row, 'key'),
      { value: text(row, 'value'), default: textOrNull(row, 'default'), changeable: text(row, 'changeable') === 'yes' },
    ]),
  )
}

/** `SHOW LISTS`: how many there are of each thing, such as `used_clients` or `free_servers`. */
export function readPgBouncerLists(rows: readonly ShowRow[]): Map<string, number> {
  return new Map(rows.map((row) => [text(row, 'list'), number(row, 'items')]))
}

function text(row: ShowRow, column: string): string {
  return textOrNull(row, column) ?? ''
}

function textOrNull(row: ShowRow, column: string): string | null {
  const value = row[column]
  return value === null || value === undefined ? null : String(value)
}

/** A column that a version does not have counts as 0. */
function number(row: ShowRow, column: string): number {
  return Number(row[column] ?? 0)
}
