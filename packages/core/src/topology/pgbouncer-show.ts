import { type Range, RowReader, readNamedRows, readOneRow, readRows } from '../row-reader.ts'
import type { PoolMode } from './topology.ts'

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

const POOL_MODES: readonly PoolMode[] = ['session', 'transaction', 'statement']
const PORT: Range = { min: 0, max: 65_535 }
const SWITCH: Range = { min: 0, max: 1 }
/** Longer texts are no version. */
const MAX_VERSION_LENGTH = 100

/**
 * `PgBouncer 1.24.1` -> `1.24.1`
 *
 * @throws {InvalidAnswerError} for an answer without a version.
 */
export function readPgBouncerVersion(rows: readonly ShowRow[]): string {
  const text = readOneRow('SHOW VERSION', rows, (row) => row.text('version')).slice(0, MAX_VERSION_LENGTH)
  return /\d{1,9}(?:\.\d{1,9}){1,9}/.exec(text)?.[0] ?? text
}

/** @throws {InvalidAnswerError} where a column is missing or holds what cannot be. */
export function readPgBouncerPools(rows: readonly ShowRow[]): PgBouncerPool[] {
  return readRows('SHOW POOLS', rows, (row) => ({
    database: row.text('database'),
    user: row.textOrNull('user') ?? '',
    poolMode: row.textOrNull('pool_mode') ?? '',
    clientsActive: row.integer('cl_active'),
    clientsWaiting: row.integer('cl_waiting'),
    serversActive: row.integer('sv_active'),
    serversIdle: row.integer('sv_idle'),
    serversUsed: row.integer('sv_used'),
    serversTested: row.integer('sv_tested'),
    serversLogin: row.integer('sv_login'),
    maxWaitMillis: row.duration('maxwait') * 1_000 + (row.has('maxwait_us') ? row.duration('maxwait_us') / 1_000 : 0),
  }))
}

/** With `application_name_add_host` a name is followed by where the client is. */
const ADDED_HOST = / - \S+:\d+$/

/**
 * What is read of a client is what that client has said of itself, so that any text is taken.
 *
 * @throws {InvalidAnswerError} where a column is missing or holds what cannot be.
 */
export function readPgBouncerClients(rows: readonly ShowRow[]): PgBouncerClient[] {
  return readRows('SHOW CLIENTS', rows, (row) => ({
    database: row.textOrNull('database') ?? '',
    user: row.textOrNull('user') ?? '',
    // Versions before 1.18 do not tell it.
    applicationName: row.has('application_name')
      ? (row.textOrNull('application_name') ?? '').replace(ADDED_HOST, '')
      : '',
  }))
}

/** @throws {InvalidAnswerError} where a column is missing or holds what cannot be, or where a database is listed twice. */
export function readPgBouncerDatabases(rows: readonly ShowRow[]): PgBouncerDatabase[] {
  const databases = readNamedRows('SHOW DATABASES', rows, (row) => {
    const name = row.text('name')
    return [name, readDatabase(name, row)]
  })
  return [...databases.values()]
}

function readDatabase(name: string, row: RowReader): PgBouncerDatabase {
  return {
    name,
    host: row.textOrNull('host'),
    port: row.integer('port', PORT),
    database: row.text('database'),
    forceUser: row.textOrNull('force_user'),
    poolSize: row.integer('pool_size'),
    minPoolSize: row.has('min_pool_size') ? row.integer('min_pool_size') : 0,
    // Renamed in 1.24.
    reservePoolSize: row.integer(row.has('reserve_pool_size') ? 'reserve_pool_size' : 'reserve_pool'),
    poolMode: row.textOrNull('pool_mode'),
    maxConnections: row.integer('max_connections'),
    currentConnections: row.integer('current_connections'),
    maxClientConnections: row.has('max_client_connections') ? row.integer('max_client_connections') : 0,
    paused: row.integer('paused', SWITCH) === 1,
    disabled: row.integer('disabled', SWITCH) === 1,
  }
}

/**
 * Times come in microseconds.
 *
 * @throws {InvalidAnswerError} where a column is missing or holds what cannot be.
 */
export function readPgBouncerStats(rows: readonly ShowRow[]): PgBouncerStats[] {
  return readRows('SHOW STATS', rows, (row) => ({
    database: row.text('database'),
    transactions: row.number('total_xact_count'),
    queries: row.number('total_query_count'),
    receivedBytes: row.number('total_received'),
    sentBytes: row.number('total_sent'),
    transactionMillis: row.number('total_xact_time') / 1_000,
    queryMillis: row.number('total_query_time') / 1_000,
    waitMillis: row.number('total_wait_time') / 1_000,
  }))
}

/** @throws {InvalidAnswerError} where a column is missing or holds what cannot be, or where a setting is listed twice. */
export function readPgBouncerConfig(rows: readonly ShowRow[]): Map<string, PgBouncerSetting> {
  return readNamedRows('SHOW CONFIG', rows, (row) => [
    row.text('key'),
    {
      value: row.textOrNull('value') ?? '',
      default: row.has('default') ? row.textOrNull('default') : null,
      changeable: row.textOrNull('changeable') === 'yes',
    },
  ])
}

/**
 * One setting of {@link readPgBouncerConfig} as a number; undefined where this version does not have it.
 *
 * @throws {InvalidAnswerError} for anything but a whole number that is not negative.
 */
export function pgBouncerSettingAsNumber(
  config: ReadonlyMap<string, PgBouncerSetting>,
  name: string,
): number | undefined {
  const setting = config.get(name)
  return setting && new RowReader('SHOW CONFIG', { [name]: setting.value }).integer(name)
}

/**
 * The mode in which a database's clients share servers: its own, or else the global one.
 *
 * @throws {InvalidAnswerError} for anything but one of PgBouncer's modes.
 */
export function pgBouncerPoolMode(
  config: ReadonlyMap<string, PgBouncerSetting>,
  { poolMode }: Pick<PgBouncerDatabase, 'poolMode'>,
): PoolMode {
  const pool_mode = poolMode ?? config.get('pool_mode')?.value ?? 'session'
  return new RowReader('SHOW DATABASES', { pool_mode }).oneOf('pool_mode', POOL_MODES)
}

/**
 * `SHOW LISTS`: how many there are of each thing, such as `used_clients` or `free_servers`.
 *
 * @throws {InvalidAnswerError} where a column is missing or holds what cannot be.
 */
export function readPgBouncerLists(rows: readonly ShowRow[]): Map<string, number> {
  return readNamedRows('SHOW LISTS', rows, (row) => [row.text('list'), row.integer('items')])
}
