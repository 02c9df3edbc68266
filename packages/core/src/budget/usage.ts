import type { RowReader } from '../row-reader.ts'

/** Sessions of one application and role in one database, as {@link USAGE_QUERY} counts them. */
export interface UsageRow {
  /** `application_name`; empty where none was given. */
  readonly application: string
  readonly role: string
  readonly database: string
  /** The role and the database are those of who asked. */
  readonly sameRole: boolean
  readonly sameDatabase: boolean
  readonly connections: number
  /** Of those, the ones whose kind this role may not see: parallel workers of others may be among them. */
  readonly hidden: number
}

/**
 * Who holds connections now, in one query that any role may run; the asking session is left out. Parallel workers take none
 * of max_connections and are left out where they can be told: their kind is hidden from other roles but members of
 * pg_read_all_stats, so that a figure may be too high, never too low. A standby has sessions of its own: ask each server.
 *
 * @see https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
 */
export const USAGE_QUERY = `
select coalesce(application_name, '') as "application", usename as "role", datname as "database",
       usename operator(pg_catalog.=) session_user as "sameRole", datname operator(pg_catalog.=) pg_catalog.current_database() as "sameDatabase",
       pg_catalog.count(*)::int as "connections",
       pg_catalog.count(*) filter (where backend_type is null)::int as "hidden"
  from pg_catalog.pg_stat_activity
 where datname is not null and usename is not null and pid operator(pg_catalog.<>) pg_catalog.pg_backend_pid()
   and coalesce(backend_type, 'client backend') operator(pg_catalog.=) 'client backend'
 group by 1, 2, 3, 4, 5
 order by "connections" desc, 1, 2, 3`

/**
 * Reads a row of {@link USAGE_QUERY}.
 *
 * @throws {InvalidAnswerError} where a column is missing or holds what cannot be.
 */
export function readUsage(row: RowReader): UsageRow {
  return {
    application: row.text('application'),
    role: row.text('role'),
    database: row.text('database'),
    sameRole: row.flag('sameRole'),
    sameDatabase: row.flag('sameDatabase'),
    connections: row.integer('connections'),
    hidden: row.integer('hidden'),
  }
}

/** What others hold, seen from a role in a database: each limit counts its own part. */
export interface OtherConnections {
  /** Of max_connections. */
  readonly connections: number
  /** Of those, the ones of the same role. */
  readonly ofRole: number
  /** Of those, the ones in the same database. */
  readonly ofDatabase: number
}

export const NO_OTHERS: OtherConnections = { connections: 0, ofRole: 0, ofDatabase: 0 }

/**
 * Adds up what is not ours.
 *
 * @param isOurs picks the app that is planned for, whose connections are the budget itself. Default: same role, same database.
 * @example
 * connectionsOfOthers(usage, ({ application }) => application === 'orders') // { connections: 12, ofRole: 2, ofDatabase: 4 }
 */
export function connectionsOfOthers(
  rows: readonly UsageRow[],
  isOurs: (row: UsageRow) => boolean = isSame,
): OtherConnections {
  const others = rows.filter((row) => !isOurs(row))
  const count = (among: readonly UsageRow[]) => among.reduce((sum, { connections }) => sum + connections, 0)
  return {
    connections: count(others),
    ofRole: count(others.filter(({ sameRole }) => sameRole)),
    ofDatabase: count(others.filter(({ sameDatabase }) => sameDatabase)),
  }
}

function isSame({ sameRole, sameDatabase }: UsageRow): boolean {
  return sameRole && sameDatabase
}
