import { parseLsn, type WalPosition } from './wal-position.ts'

/** What a server reports about itself and its write-ahead log. */
export interface ServerPosition {
  readonly isStandby: boolean
  /** Written so far by a primary, replayed so far by a standby; undefined if the server does not tell. */
  readonly position: WalPosition | undefined
  /** How long ago the last transaction was committed that a standby has replayed, by the servers' clocks. */
  readonly replayedAgoMillis: number | undefined
}

/**
 * One value: whether it is a standby, the LSN, the timeline in decimal, the cluster's identifier, and the age of the last replayed commit in
 * milliseconds; `-` for what is unknown.
 *
 * A primary tells the position of the next record, also of those that are not flushed: with `synchronous_commit = off`, a commit is
 * acknowledged before it is flushed. A standby learns its timeline with a restart point, and earlier if the role may read statistics
 * (`pg_read_all_stats`): it never reports a timeline that it has not reached.
 */
export const POSITION_QUERY: string = [
  "select pg_catalog.concat_ws(' ', pg_catalog.pg_is_in_recovery(),",
  "case when pg_catalog.pg_is_in_recovery() then coalesce(pg_catalog.pg_last_wal_replay_lsn()::pg_catalog.text, '-')",
  'else pg_catalog.pg_current_wal_insert_lsn()::pg_catalog.text end,',
  'case when pg_catalog.pg_is_in_recovery() then coalesce(greatest(',
  '(select c.timeline_id from pg_catalog.pg_control_checkpoint() c),',
  '(select r.min_recovery_end_timeline from pg_catalog.pg_control_recovery() r),',
  '(select w.received_tli from pg_catalog.pg_stat_get_wal_receiver() w)), 0)::pg_catalog.text',
  "else pg_catalog.concat('x', pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8)) end,",
  '(select s.system_identifier from pg_catalog.pg_control_system() s),',
  "coalesce(pg_catalog.floor(1000 operator(pg_catalog.*) date_part('epoch',",
  "pg_catalog.clock_timestamp() operator(pg_catalog.-) pg_catalog.pg_last_xact_replay_timestamp()))::pg_catalog.text, '-'))",
].join(' ')

/** The same for a server that does not answer {@link POSITION_QUERY}: some managed services have other functions. */
export const STANDBY_QUERY = "select pg_catalog.concat(pg_catalog.pg_is_in_recovery(), ' - - - -')"

/** @returns undefined for an answer that is not the query's. */
export function readServerPosition(answer: string | null | undefined): ServerPosition | undefined {
  const [standby, lsn = '', timeline = '', systemId = '', ago = ''] = (answer ?? '').split(' ')
  if (standby !== 't' && standby !== 'f') return undefined
  const at = parseLsn(lsn)
  const on = timeline.startsWith('x') ? Number.parseInt(timeline.slice(1), 16) : Number.parseInt(timeline, 10)
  return {
    isStandby: standby === 't',
    position: at === undefined || !(on > 0) ? undefined : { systemId, timeline: on, lsn: at },
    replayedAgoMillis: /^-?\d+$/.test(ago) ? Math.max(0, Number(ago)) : undefined,
  }
}
