import type { RowReader } from '../row-reader.ts'

/** Activity of a database since its statistics were reset, as {@link SIZING_QUERY} reads it. */
export interface DatabaseLoad {
  /** Time since the statistics were reset. */
  readonly elapsedMillis: number
  /** Sum of the durations of all sessions. */
  readonly sessionMillis: number
  readonly activeMillis: number
  readonly idleInTransactionMillis: number
  readonly transactions: number
}

/**
 * Reads a {@link DatabaseLoad} of the current database since its statistics were reset (or the server was started): PostgreSQL
 * 14 and later, any role. An average over nights and weekends hides the peak: read it before and after a busy hour, and
 * subtract the first from the second.
 *
 * @see https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-DATABASE-VIEW
 */
export const SIZING_QUERY = `
select extract(epoch from pg_catalog.clock_timestamp() operator(pg_catalog.-) coalesce(stats_reset, pg_catalog.pg_postmaster_start_time()))
         ::double precision operator(pg_catalog.*) 1000 as "elapsedMillis",
       session_time as "sessionMillis", active_time as "activeMillis",
       idle_in_transaction_time as "idleInTransactionMillis", (xact_commit operator(pg_catalog.+) xact_rollback)::double precision as "transactions"
  from pg_catalog.pg_stat_database
 where datname operator(pg_catalog.=) pg_catalog.current_database()`

/**
 * Reads a row of {@link SIZING_QUERY}.
 *
 * @throws {InvalidAnswerError} if a column is missing or its value is invalid.
 */
export function readLoad(row: RowReader): DatabaseLoad {
  return {
    elapsedMillis: row.duration('elapsedMillis'),
    sessionMillis: row.number('sessionMillis'),
    activeMillis: row.number('activeMillis'),
    idleInTransactionMillis: row.number('idleInTransactionMillis'),
    transactions: row.number('transactions'),
  }
}

/** The average number of busy connections (running a query, or holding a transaction open), by Little's law. */
export function busyConnections({ activeMillis, idleInTransactionMillis, elapsedMillis }: DatabaseLoad): number {
  return elapsedMillis > 0 ? (activeMillis + idleInTransactionMillis) / elapsedMillis : 0
}

/** The part of the time that callers hold connections in which the server works; 1 if no caller held a connection. */
export function busyRatio({ activeMillis, idleInTransactionMillis }: DatabaseLoad): number {
  const held = activeMillis + idleInTransactionMillis
  return held > 0 ? activeMillis / held : 1
}
