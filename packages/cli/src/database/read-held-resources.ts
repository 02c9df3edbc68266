import type { RowReader } from '@poolguard/core/postgres'

/** A transaction of PREPARE TRANSACTION: it keeps its locks without a session. */
export interface PreparedTransaction {
  readonly gid: string
  readonly owner: string
  readonly database: string
  readonly ageSeconds: number
}

/** A replication slot without a consumer, which keeps WAL and dead rows. */
export interface ReplicationSlot {
  readonly name: string
  readonly kind: string
  /** Null for a physical slot. */
  readonly database: string | null
  /** WAL that the server keeps for it. */
  readonly retainedBytes: number
  /** Whether VACUUM cannot remove rows because of it. */
  readonly holdsRows: boolean
}

export const PREPARED_TRANSACTIONS_QUERY = `
select gid as "gid", owner as "owner", database as "database",
       extract(epoch from pg_catalog.clock_timestamp() operator(pg_catalog.-) prepared)::double precision as "ageSeconds"
  from pg_catalog.pg_prepared_xacts
 order by prepared limit 100`

/** Slots that a standby synchronises are inactive by design. */
export const REPLICATION_SLOTS_QUERY = `
select slot_name as "name", slot_type as "kind", database as "database",
       greatest(coalesce(pg_catalog.pg_wal_lsn_diff(
         case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn() else pg_catalog.pg_current_wal_lsn() end,
         restart_lsn), 0), 0)::double precision as "retainedBytes",
       xmin is not null or catalog_xmin is not null as "holdsRows"
  from pg_catalog.pg_replication_slots slot
 where not active and not temporary and (restart_lsn is not null or xmin is not null or catalog_xmin is not null)
   and coalesce(pg_catalog.to_jsonb(slot) operator(pg_catalog.->>) 'synced', 'false') operator(pg_catalog.=) 'false'
 order by 4 desc limit 100`

/** @throws {InvalidAnswerError} if the server's answer is invalid. */
export function readPreparedTransaction(row: RowReader): PreparedTransaction {
  return {
    gid: row.text('gid'),
    owner: row.textOrNull('owner') ?? '',
    database: row.textOrNull('database') ?? '',
    ageSeconds: row.duration('ageSeconds'),
  }
}

/** @throws {InvalidAnswerError} if the server's answer is invalid. */
export function readReplicationSlot(row: RowReader): ReplicationSlot {
  return {
    name: row.text('name'),
    kind: row.text('kind'),
    database: row.textOrNull('database'),
    retainedBytes: row.number('retainedBytes'),
    holdsRows: row.flag('holdsRows'),
  }
}
