import { type Range, RowReader, readNamedRows, readOneRow, readRows } from '../row-reader.ts'
import type { PoolMode } from './topology.ts'

/** PgBouncer's own database, whose queries are commands. */
export const PGBOUNCER_CONSOLE = 'pgbouncer'

/** A row from a driver: columns by name; numbers may be texts. */
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
  /** The longest current wait of a client. */
  readonly maxWaitMillis: number
}

/** One client of PgBouncer, from `SHOW CLIENTS`, which includes clients of the console. */
export interface PgBouncerClient {
  readonly database: string
  readonly user: string
  /** Empty if the client did not set one. */
  readonly applicationName: string
}

/** One connection of PgBouncer, to a client or to a server, from `SHOW CLIENTS` or `SHOW SERVERS`. */
export interface PgBouncerSocket {
  readonly database: string
  readonly user: string
  /** `active`, `waiting`, `idle`, `login`... */
  readonly state: string
  /** Of the client, or of the server; `unix` for a local socket. */
  readonly address: string
  readonly port: number
  readonly applicationName: string
  /** Wall clock of PgBouncer's host, without a time zone: only differences have a meaning. Null if unreadable. */
  readonly connectedAtMillis: number | null
  /** The last request; as `connectedAtMillis`. */
  readonly requestedAtMillis: number | null
  /** Identifies the connection, as in `link`. */
  readonly pointer: string
  /** The pointer of the linked connection: of a client its server, of a server its client. Empty if there is none. */
  readonly link: string
  /** Process id of the server's backend; of a local client its process id; otherwise 0. */
  readonly remotePid: number
  /** For `KILL_CLIENT`; null before 1.24. */
  readonly id: number | null
}

/** One user of PgBouncer, from `SHOW USERS`. */
export interface PgBouncerUser {
  readonly name: string
  /** Maximum number of server connections; 0 means no limit. Null before 1.24: the global setting applies. */
  readonly maxConnections: number | null
  /** Maximum number of client connections; 0 means no limit. Null in versions without this limit. */
  readonly maxClientConnections: number | null
}

/** One database of PgBouncer, from `SHOW DATABASES`. */
export interface PgBouncerDatabase {
  readonly name: string
  readonly host: string | null
  readonly port: number
  readonly database: string
  /** Null if the pool uses the client's user. */
  readonly forceUser: string | null
  readonly poolSize: number
  readonly minPoolSize: number
  readonly reservePoolSize: number
  /** Null if the global mode applies. */
  readonly poolMode: string | null
  /** Maximum number of server connections; 0 means no limit. */
  readonly maxConnections: number
  readonly currentConnections: number
  /** Maximum number of client connections; 0 means no limit. Versions before 1.24 have no such limit. */
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
  /** Null in versions that do not report it. */
  readonly default: string | null
  /** Whether a reload is enough. */
  readonly changeable: boolean
}

const POOL_MODES: readonly PoolMode[] = ['session', 'transaction', 'statement']
const PORT: Range = { min: 0, max: 65_535 }
const SWITCH: Range = { min: 0, max: 1 }
/** Longer than any version. */
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

/** @throws {InvalidAnswerError} if a column is missing or has an invalid value. */
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

/** With `application_name_add_host`, PgBouncer appends the client's address to the name. */
const ADDED_HOST = / - \S+:\d+$/

/**
 * The name of a client is any text that the client chose.
 *
 * @throws {InvalidAnswerError} if a column is missing or has an invalid value.
 */
export function readPgBouncerClients(rows: readonly ShowRow[]): PgBouncerClient[] {
  return readRows('SHOW CLIENTS', rows, (row) => ({
    database: row.textOrNull('database') ?? '',
    user: row.textOrNull('user') ?? '',
    // Versions before 1.18 do not report it.
    applicationName: row.has('application_name')
      ? (row.textOrNull('application_name') ?? '').replace(ADDED_HOST, '')
      : '',
  }))
}

/**
 * @param source `SHOW CLIENTS` or `SHOW SERVERS`.
 * @throws {InvalidAnswerError} if a column is missing or has an invalid value.
 */
export function readPgBouncerSockets(source: string, rows: readonly ShowRow[]): PgBouncerSocket[] {
  return readRows(source, rows, (row) => ({
    database: row.textOrNull('database') ?? '',
    user: row.textOrNull('user') ?? '',
    state: row.text('state'),
    address: row.textOrNull('addr') ?? '',
    port: row.integer('port', PORT),
    applicationName: row.has('application_name')
      ? (row.textOrNull('application_name') ?? '').replace(ADDED_HOST, '')
      : '',
    connectedAtMillis: readWallClock(row.textOrNull('connect_time')),
    requestedAtMillis: readWallClock(row.textOrNull('request_time')),
    pointer: row.textOrNull('ptr') ?? '',
    link: row.textOrNull('link') ?? '',
    remotePid: row.integer('remote_pid', { min: -2_147_483_648, max: 4_294_967_295 }),
    id: row.has('id') ? row.number('id') : null,
  }))
}

/** `2026-11-29 00:51:11 UTC`; the abbreviation of the time zone is ambiguous and the same in all rows. */
function readWallClock(text: string | null): number | null {
  const [, day, time] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/.exec(text ?? '') ?? []
  const millis = Date.parse(`${day}T${time}Z`)
  return Number.isNaN(millis) ? null : millis
}

/** @throws {InvalidAnswerError} if a column is missing or has an invalid value. */
export function readPgBouncerUsers(rows: readonly ShowRow[]): PgBouncerUser[] {
  return readRows('SHOW USERS', rows, (row) => ({
    name: row.text('name'),
    maxConnections: row.has('max_user_connections') ? row.integer('max_user_connections') : null,
    maxClientConnections: row.has('max_user_client_connections') ? row.integer('max_user_client_connections') : null,
  }))
}

/** @throws {InvalidAnswerError} if a column is missing or has an invalid value, or if a database appears twice. */
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
 * @throws {InvalidAnswerError} if a column is missing or has an invalid value.
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

/** @throws {InvalidAnswerError} if a column is missing or has an invalid value, or if a setting appears twice. */
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
 * One setting of {@link readPgBouncerConfig} as a number; undefined if this version does not have it.
 *
 * @throws {InvalidAnswerError} for anything but a non-negative whole number.
 */
export function pgBouncerSettingAsNumber(
  config: ReadonlyMap<string, PgBouncerSetting>,
  name: string,
): number | undefined {
  const setting = config.get(name)
  return setting && new RowReader('SHOW CONFIG', { [name]: setting.value }).integer(name)
}

/**
 * The pool mode of a database: its own, or else the global one.
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
 * Reads `SHOW LISTS`: the count of each item, such as `used_clients` or `free_servers`.
 *
 * @throws {InvalidAnswerError} if a column is missing or has an invalid value.
 */
export function readPgBouncerLists(rows: readonly ShowRow[]): Map<string, number> {
  return readNamedRows('SHOW LISTS', rows, (row) => [row.text('list'), row.integer('items')])
}
