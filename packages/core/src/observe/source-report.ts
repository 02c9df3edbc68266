import { type RowReader, readRows } from '../row-reader.ts'
import { showStatement } from '../statements/index.ts'
import type { PgBouncerPool } from '../topology/index.ts'

/** What the live page shows of a server or a pooler. */
export type SourceReport = ServerReport | PoolerReport

/** PgBouncer's pools. */
export interface PoolerReport {
  readonly kind: 'pooler'
  readonly version: string
  readonly pools: readonly PgBouncerPool[]
}

/** Who uses the connections of a PostgreSQL server, and which sessions block others. */
export interface ServerReport {
  readonly kind: 'server'
  readonly maxConnections: number
  /** Connections of `max_connections` that are reserved for superusers and `pg_use_reserved_connections`. */
  readonly reserved: number
  /** Connections of all clients. */
  readonly used: number
  /** The one with most connections first. */
  readonly applications: readonly ApplicationReport[]
  /** Sessions that wait for a lock, and those that they wait for. */
  readonly locks: readonly LockReport[]
}

/** The sessions of one role with one `application_name`. */
export interface ApplicationReport {
  /** Empty if none was set. */
  readonly application: string
  readonly role: string
  readonly connections: number
  readonly active: number
  readonly idleInTransaction: number
}

/** A session that waits for a lock, or has one that another session waits for. */
export interface LockReport {
  readonly pid: number
  /** When it began, as the server writes it; with the pid it names this session only. Null if the role may not see it. */
  readonly startedAt: string | null
  readonly application: string
  readonly role: string
  /** Null if the role may not see it. */
  readonly state: string | null
  /** Since its transaction began; null if the role may not see it. */
  readonly transactionSeconds: number | null
  /** The current or last statement without literals; null if the role may not see it. */
  readonly statement: string | null
  /** For how long it has waited; null if it does not wait. */
  readonly waitSeconds: number | null
  /** The pids that it waits for; 0 is a prepared transaction. */
  readonly blockedBy: readonly number[]
}

/** Applications beyond these are many one-off names. */
const MAX_APPLICATIONS = 50
/** `pg_blocking_pids` stops all lock requests for a moment: call it for the longest waiters only. */
const MAX_WAITERS = 100
const MAX_QUERY = 500

/**
 * Counts the server's clients by application, for any role.
 *
 * @see https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
 */
export const APPLICATIONS_QUERY: string = `
select coalesce(application_name, '') as "application", coalesce(usename, '') as "role", pg_catalog.count(*)::int as "connections",
       (pg_catalog.count(*) filter (where state operator(pg_catalog.=) 'active'))::int as "active",
       (pg_catalog.count(*) filter (where pg_catalog.starts_with(state, 'idle in transaction')))::int as "idleInTransaction",
       pg_catalog.current_setting('max_connections')::int as "maxConnections",
       pg_catalog.current_setting('superuser_reserved_connections')::int
         operator(pg_catalog.+) coalesce(pg_catalog.current_setting('reserved_connections', true)::int, 0) as "reserved",
       (pg_catalog.sum(pg_catalog.count(*)) over ())::int as "used"
  from pg_catalog.pg_stat_activity
 where datname is not null
   and coalesce(backend_type, 'client backend') operator(pg_catalog.=) 'client backend'
 group by 1, 2
 order by 3 desc, 1, 2
 limit ${MAX_APPLICATIONS}`

/**
 * Reads the sessions that wait for a lock and those that they wait for. Roles outside of pg_read_all_stats see neither the state nor the
 * statement of other roles' sessions.
 *
 * @see https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SESSION
 */
export const LOCKS_QUERY: string = `
with waiter as (
  select pid, pg_catalog.min(waitstart) as since
    from pg_catalog.pg_locks where not granted and pid is not null group by pid
), blocked as (
  select pid, since, pg_catalog.pg_blocking_pids(pid) as by
    from (select pid, since from waiter order by since nulls last limit ${MAX_WAITERS}) longest
)
select activity.pid as "pid", extract(epoch from backend_start)::pg_catalog.text as "startedAt",
       coalesce(application_name, '') as "application", coalesce(usename, '') as "role", state as "state",
       extract(epoch from pg_catalog.clock_timestamp() operator(pg_catalog.-) xact_start)::double precision as "transactionSeconds",
       case when state is not null then pg_catalog.left(query, ${MAX_QUERY}) end as "query",
       case when blocked.pid is not null then
         coalesce(extract(epoch from pg_catalog.clock_timestamp() operator(pg_catalog.-) blocked.since), 0)::double precision
       end as "waitSeconds",
       coalesce(pg_catalog.array_to_string(blocked.by, ','), '') as "blockedBy"
  from pg_catalog.pg_stat_activity activity
  left join blocked on blocked.pid operator(pg_catalog.=) activity.pid
 where blocked.pid is not null
    or exists (select from blocked each where activity.pid operator(pg_catalog.=) any (each.by))
 order by blocked.since nulls first, activity.pid`

/** Ends a session by its pid and its start, so that a later session with the same pid stays. */
export const TERMINATE_QUERY: string = `
select pg_catalog.pg_terminate_backend(pid) as "terminated"
  from pg_catalog.pg_stat_activity
 where pid operator(pg_catalog.=) $1::pg_catalog.int4
   and extract(epoch from backend_start)::pg_catalog.text operator(pg_catalog.=) $2::pg_catalog.text`

/**
 * Turns the results of {@link APPLICATIONS_QUERY} and {@link LOCKS_QUERY} into a report.
 *
 * @throws {InvalidAnswerError} if a column is missing or has an invalid value.
 */
export function serverReport(applications: readonly unknown[], locks: readonly unknown[]): ServerReport {
  const counted = readRows('the query for the applications', applications, readApplication)
  const { maxConnections = 0, reserved = 0, used = 0 } = counted[0]?.server ?? {}
  return {
    ...{ kind: 'server', maxConnections, reserved, used },
    applications: counted.map(({ application }) => application),
    locks: readRows('the query for the locks', locks, readLock),
  }
}

function readApplication(row: RowReader): {
  readonly application: ApplicationReport
  /** Equal in all rows. */
  readonly server: Pick<ServerReport, 'maxConnections' | 'reserved' | 'used'>
} {
  return {
    application: {
      application: row.text('application'),
      role: row.text('role'),
      connections: row.integer('connections'),
      active: row.integer('active'),
      idleInTransaction: row.integer('idleInTransaction'),
    },
    server: {
      maxConnections: row.integer('maxConnections'),
      reserved: row.integer('reserved'),
      used: row.integer('used'),
    },
  }
}

function readLock(row: RowReader): LockReport {
  const query = row.textOrNull('query')
  const blockedBy = row.text('blockedBy')
  return {
    pid: row.integer('pid'),
    startedAt: row.textOrNull('startedAt'),
    application: row.text('application'),
    role: row.text('role'),
    state: row.textOrNull('state'),
    transactionSeconds: row.durationOrNull('transactionSeconds'),
    statement: query === null ? null : showStatement(query),
    waitSeconds: row.durationOrNull('waitSeconds'),
    blockedBy: [...new Set(blockedBy.split(',').filter((pid) => pid !== ''))].map(Number),
  }
}
