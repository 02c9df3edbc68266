import type { RowReader } from '../row-reader.ts'

/** Sessions of one application and role in one database, as {@link USAGE_QUERY} counts them. */
export interface UsageRow {
  /** `application_name`; may be empty. */
  readonly application: string
  readonly role: string
  readonly database: string
  /** Whether the role and the database are those of the querying session. */
  readonly sameRole: boolean
  readonly sameDatabase: boolean
  readonly connections: number
  /** The part of `connections` whose `backend_type` this role cannot see: it may include parallel workers. */
  readonly hidden: number
}

/**
 * Counts the open connections by application, role and database, in one query that any role may run; excludes the querying
 * session. Parallel workers do not count towards max_connections. The query excludes them where it can; roles outside of
 * pg_read_all_stats cannot see the type of other roles' backends, so a count may be too high, never too low. Standbys have their
 * own sessions: query each server.
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
 * @throws {InvalidAnswerError} if a column is missing or its value is invalid.
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

/** Connections of other applications, as a role in a database sees them: each limit counts its own part. */
export interface OtherConnections {
  /** All of them; they count towards max_connections. */
  readonly connections: number
  /** The part with the same role. */
  readonly ofRole: number
  /** The part in the same database. */
  readonly ofDatabase: number
}

export const NO_OTHERS: OtherConnections = { connections: 0, ofRole: 0, ofDatabase: 0 }

/**
 * Sums up the connections of other applications.
 *
 * @param isOurs selects the rows of the planned app, whose connections are part of the budget. Default: same role and database.
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
