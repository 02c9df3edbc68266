import { RowReader } from '../row-reader.ts'

/** How a session differs from a new one. */
export interface SessionState {
  /**
   * Why the session is read-only, if it is:
   * - `server`: the server is a standby, or all its sessions are read-only;
   * - `session`: the app has made this session read-only;
   * - `login`: the role, the database or the connection string makes it read-only, so that a new session would be read-only too.
   */
  readonly readOnlyBy: 'server' | 'session' | 'login' | undefined
  /** Whether the app has changed settings or the role, or has temporary tables. */
  readonly changed: boolean
}

/** Sources of a setting (pg_settings.source) that apply to every session of this login. */
const OF_LOGIN: readonly string[] = ['user', 'database', 'database user', 'client']

/**
 * Returns one row with one value, which every driver reads in the same way. All names have a schema, because the session's
 * search_path may be the cause of the errors. Outside of a transaction, `transaction_read_only` applies to the next transaction.
 */
export const SESSION_QUERY = `select pg_catalog.concat_ws(',',
  pg_catalog.pg_is_in_recovery()::pg_catalog.text,
  pg_catalog.current_setting('transaction_read_only'),
  (select source from pg_catalog.pg_settings where name operator(pg_catalog.=) 'default_transaction_read_only'),
  (current_user operator(pg_catalog.<>) session_user or pg_catalog.pg_my_temp_schema() operator(pg_catalog.<>) 0::pg_catalog.oid
    or exists (select from pg_catalog.pg_settings where source operator(pg_catalog.=) 'session'
      and name operator(pg_catalog.<>) 'application_name'))::pg_catalog.text)`

/**
 * Parses the result of {@link SESSION_QUERY}.
 *
 * @throws {InvalidAnswerError} if a part is missing or invalid.
 */
export function readSessionState(answer: string | null | undefined): SessionState {
  const [recovery, readOnly, source, changed] = (answer ?? '').split(',', 4)
  const row = new RowReader('the query for the session', { recovery, readOnly, source, changed })
  return {
    readOnlyBy: readOnlyBy(row.flag('recovery'), row.oneOf('readOnly', ['on', 'off']) === 'on', row.text('source')),
    changed: row.flag('changed'),
  }
}

function readOnlyBy(recovery: boolean, readOnly: boolean, source: string): SessionState['readOnlyBy'] {
  if (recovery) return 'server'
  if (!readOnly) return undefined
  if (source === 'session') return 'session'
  return OF_LOGIN.includes(source) ? 'login' : 'server'
}
