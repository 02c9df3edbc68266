import type { RowReader } from '@poolguard/core/postgres'

/**
 * Reads how many connections roles without reserved slots can have. An app is rejected when these are in use, even if the
 * role that runs the query could still log in.
 *
 * @see https://www.postgresql.org/docs/current/runtime-config-connection.html
 */
export const OPEN_SLOTS_QUERY = `
select pg_catalog.current_setting('max_connections')::int
         operator(pg_catalog.-) pg_catalog.current_setting('superuser_reserved_connections')::int
         operator(pg_catalog.-) coalesce(pg_catalog.current_setting('reserved_connections', true)::int, 0) as "openSlots"`

export interface OpenSlots {
  readonly openSlots: number
}

/** @throws {InvalidAnswerError} if the server's answer is invalid. */
export function readOpenSlots(row: RowReader): OpenSlots {
  return { openSlots: row.integer('openSlots') }
}
