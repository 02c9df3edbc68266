import { RowReader } from '../row-reader.ts'

/** How a session differs from one that has just been opened. */
export interface SessionState {
  /**
   * Why it takes no writes, if so: the server is a standby, or all its sessions are read-only; the app has made this session read-only;
   * or the role, the database or the connection string has, so that a fresh one would be, too.
   */
  readonly readOnlyBy: 'server' | 'session' | 'login' | undefined
  /** The app has changed settings or the role, or has temporary tables. */
  readonly changed: boolean
}

/** Sources of a setting that hold for every session of this login (pg_settings.source). */
const OF_LOGIN: readonly string[] = ['user', 'database', 'database user', 'client']

/**
 * One row with one value, as every driver reads it alike. The schemas are named: the session's own search_path may be what is wrong.
 * `transaction_read_only` outside of a transaction is what the next transaction will be.
 */
export const SESSION_QUERY = `select pg_catalog.concat_ws(',',
  pg_catalog.pg_is_in_recovery()::pg_catalog.text,
  pg_catalog.current_setting('transaction_read_only'),
  (select source from pg_catalog.pg_settings where name operator(pg_catalog.=) 'default_transaction_read_only'),
  (current_user operator(pg_catalog.<>) session_user or pg_catalog.pg_my_temp_schema() operator(pg_catalog.<>) 0::pg_catalog.oid
    or exists (select from pg_catalog.pg_settings where source operator(pg_catalog.=) 'session'
      and name operator(pg_catalog.<>) 'application_name'))::pg_catalog.text)`

/**
 * Reads the answer to {@link SESSION_QUERY}.
 *
 * @throws {InvalidAnswerError} where a part is missing or is not what it can be.
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
