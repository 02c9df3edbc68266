import type { RowReader } from '@poolguard/core/postgres'

/**
 * Reads how many connections are open to roles that may use no reserved slot: an app is refused where these are taken,
 * though whoever asks may still be let in.
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

/** @throws {InvalidAnswerError} where the server tells what cannot be. */
export function readOpenSlots(row: RowReader): OpenSlots {
  return { openSlots: row.integer('openSlots') }
}
