import { type RowReader, readNamedRows, readOneRow, readRows } from '@poolguard/core/postgres'
import type { Pool } from '../database/contact.ts'

/** A setting as the server has it for new sessions of this role. */
export interface CurrentSetting {
  readonly name: string
  readonly value: string
  readonly unit: string | null
  /** When a change takes effect: `postmaster` is a restart. */
  readonly context: string
  /** Where the value comes from: `default`, `configuration file`, `command line`, `user`... */
  readonly source: string
  /** The file, if this role may see it. */
  readonly file: string | null
  readonly line: number | null
  readonly pendingRestart: boolean
  /** This role may change it with ALTER SYSTEM. */
  readonly alterable: boolean
}

/** A line of a configuration file, in force or not. */
export interface FileSetting {
  readonly name: string | null
  readonly value: string | null
  readonly place: string
  readonly error: string | null
}

export interface ServerState {
  readonly version: string
  readonly role: string
  readonly mayReload: boolean
  /** `allow_alter_system` is off: another tool manages the configuration, such as a Kubernetes operator. */
  readonly alterSystemOff: boolean
  /** Standbys of this server that this role can see. */
  readonly standbys: number
  /** Sessions of other clients: a restart ends them. */
  readonly sessions: number
  /** Start time of the postmaster, as comparable text. */
  readonly startedAt: string
  readonly dataDirectory: string | null
  readonly settings: ReadonlyMap<string, CurrentSetting>
  /** Empty if this role may not read pg_file_settings. */
  readonly files: readonly FileSetting[]
}

const SERVER_QUERY = `
select pg_catalog.current_setting('server_version') as "version", session_user as "role",
       pg_catalog.has_function_privilege('pg_catalog.pg_reload_conf()', 'execute') as "mayReload",
       coalesce(pg_catalog.current_setting('allow_alter_system', true), 'on') operator(pg_catalog.=) 'off' as "alterSystemOff",
       (select pg_catalog.count(*)::int from pg_catalog.pg_stat_replication) as "standbys",
       (select pg_catalog.count(*)::int from pg_catalog.pg_stat_activity
         where datname is not null and pid operator(pg_catalog.<>) pg_catalog.pg_backend_pid()
           and coalesce(backend_type, 'client backend') operator(pg_catalog.=) 'client backend') as "sessions",
       pg_catalog.pg_postmaster_start_time()::pg_catalog.text as "startedAt",
       (select setting from pg_catalog.pg_settings where name operator(pg_catalog.=) 'data_directory') as "dataDirectory"`

/** Reads reset_val: `setting` shows the socket's keepalives, and values that this session has SET. */
const SETTINGS_QUERY = `
select name, reset_val as "value", unit, context, source, sourcefile as "file", sourceline as "line",
       pending_restart as "pendingRestart", pg_catalog.has_parameter_privilege(name, 'ALTER SYSTEM') as "alterable"
  from pg_catalog.pg_settings where name operator(pg_catalog.=) any($1) or pending_restart`

const FILES_QUERY = `
select name, setting as "value", pg_catalog.concat(sourcefile, ':', sourceline) as "place", error
  from pg_catalog.pg_file_settings order by seqno`

/**
 * Reads the named settings, the settings that wait for a restart, and this role's privileges. Settings that the server does
 * not have are missing.
 *
 * @throws {InvalidAnswerError} if the server's answer is invalid.
 */
export async function readServerState(pool: Pool, named: readonly { readonly name: string }[]): Promise<ServerState> {
  const server = readOneRow('the query for the server', (await pool.query(SERVER_QUERY)).rows, readServer)
  const { rows } = await pool.query(SETTINGS_QUERY, [named.map(({ name }) => name)])
  const settings = readNamedRows('the query for the settings', rows, (row) => [row.text('name'), readSetting(row)])
  const files = (await pool.query(FILES_QUERY).catch(() => ({ rows: [] }))).rows
  return { ...server, settings, files: readRows('the query for the files', files, readFileSetting) }
}

function readServer(row: RowReader): Omit<ServerState, 'settings' | 'files'> {
  return {
    version: row.text('version'),
    role: row.text('role'),
    mayReload: row.flag('mayReload'),
    alterSystemOff: row.flag('alterSystemOff'),
    standbys: row.integer('standbys'),
    sessions: row.integer('sessions'),
    startedAt: row.text('startedAt'),
    dataDirectory: row.textOrNull('dataDirectory'),
  }
}

function readSetting(row: RowReader): CurrentSetting {
  return {
    name: row.text('name'),
    value: row.text('value'),
    unit: row.textOrNull('unit'),
    context: row.text('context'),
    source: row.text('source'),
    file: row.textOrNull('file'),
    line: row.integerOrNull('line'),
    pendingRestart: row.flag('pendingRestart'),
    alterable: row.flag('alterable'),
  }
}

function readFileSetting(row: RowReader): FileSetting {
  return {
    name: row.textOrNull('name'),
    value: row.textOrNull('value'),
    place: row.text('place'),
    error: row.textOrNull('error'),
  }
}
