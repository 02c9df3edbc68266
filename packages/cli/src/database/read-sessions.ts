import { type RowReader, readRows } from '@poolguard/core/postgres'
import type { Session } from '../sessions/session.ts'
import { shortenQuery } from '../sessions/shorten-query.ts'
import { attributeSessions } from './attribute-sessions.ts'
import type { Pool } from './contact.ts'

const SESSIONS_SOURCE = 'the query for the sessions'

/** More sessions than any server should have. Beyond them, only the number is known. */
const MAX_SESSIONS = 10_000
/** pg_blocking_pids() stops all lock requests for a moment: ask it for the longest waiters only. */
const MAX_WAITERS = 200
/** Enough to recognise a statement; the rest may hold much data. */
const MAX_QUERY = 500

/**
 * Reads all sessions and the locks that they wait for, in one query that any role may run. Roles outside of
 * pg_read_all_stats see of other roles' sessions only pid, role, database, application_name and locks.
 *
 * @see https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
 */
const SESSIONS_QUERY: string = `
with waiter as (
  select pid, pg_catalog.min(waitstart) as since
    from pg_catalog.pg_locks where not granted and pid is not null group by pid
), blocked as (
  select pid, pg_catalog.array_to_string(pg_catalog.pg_blocking_pids(pid), ',') as by
    from (select pid from waiter order by since nulls last limit ${MAX_WAITERS}) longest
)
select activity.pid as "pid", extract(epoch from backend_start)::pg_catalog.text as "startedAt",
       extract(epoch from state_change)::pg_catalog.text as "changedAt", backend_type as "type",
       coalesce(application_name, '') as "application", coalesce(usename, '') as "role", datname as "database",
       pg_catalog.host(client_addr) as "address", client_port as "port", state as "state",
       extract(epoch from pg_catalog.clock_timestamp() operator(pg_catalog.-) backend_start)::double precision as "ageSeconds",
       extract(epoch from pg_catalog.clock_timestamp() operator(pg_catalog.-) xact_start)::double precision as "transactionSeconds",
       extract(epoch from pg_catalog.clock_timestamp() operator(pg_catalog.-) state_change)::double precision as "stateSeconds",
       extract(epoch from pg_catalog.clock_timestamp() operator(pg_catalog.-) query_start)::double precision as "querySeconds",
       wait_event_type as "waitType", wait_event as "waitEvent",
       case when state is null and backend_type is null then null else pg_catalog.left(query, ${MAX_QUERY}) end as "query",
       case when waiter.pid is not null then
         coalesce(extract(epoch from pg_catalog.clock_timestamp() operator(pg_catalog.-) waiter.since), 0)::double precision
       end as "lockWaitSeconds",
       coalesce(blocked.by, '') as "blockedBy",
       coalesce(role.rolsuper or role.rolreplication, false) as "protected",
       coalesce(usename operator(pg_catalog.=) session_user, false) as "sameRole",
       datname operator(pg_catalog.=) pg_catalog.current_database() as "sameDatabase",
       activity.pid operator(pg_catalog.=) pg_catalog.pg_backend_pid() as "own",
       extract(epoch from pg_catalog.clock_timestamp())::double precision as "readAt",
       pg_catalog.count(*) over ()::int as "total"
  from pg_catalog.pg_stat_activity activity
  left join waiter on waiter.pid operator(pg_catalog.=) activity.pid
  left join blocked on blocked.pid operator(pg_catalog.=) activity.pid
  left join pg_catalog.pg_roles role on role.oid operator(pg_catalog.=) activity.usesysid
 where datname is not null
 order by waiter.since nulls last, backend_start
 limit ${MAX_SESSIONS}`

export interface ReadSessionsOptions {
  /** Queries may hold data. */
  readonly showsQueries: boolean
}

export interface SessionList {
  readonly sessions: readonly Session[]
  /** Sessions beyond the list. */
  readonly unlisted: number
  /** The server's time of this answer, in seconds since 1970. */
  readonly readAtSeconds: number
}

/**
 * Reads the sessions, and finds the processes of this machine among their clients.
 *
 * @throws {InvalidAnswerError} if the server's answer is invalid.
 */
export async function readSessions(pool: Pool, { showsQueries }: ReadSessionsOptions): Promise<SessionList> {
  const client = await pool.connect()
  try {
    const list = readSessionList((await client.query(SESSIONS_QUERY)).rows)
    const sessions = attributeSessions(list.sessions)
    return { ...list, sessions: showsQueries ? sessions : sessions.map((each) => ({ ...each, query: null })) }
  } finally {
    client.release()
  }
}

/** @throws {InvalidAnswerError} if the server's answer is invalid. */
function readSessionList(rows: unknown): SessionList {
  const read = readRows(SESSIONS_SOURCE, rows, (row) => ({
    session: readSession(row),
    total: row.integer('total'),
    readAtSeconds: row.duration('readAt'),
  }))
  const [first] = read
  return {
    sessions: read.map(({ session }) => session),
    unlisted: Math.max(0, (first?.total ?? 0) - read.length),
    readAtSeconds: first?.readAtSeconds ?? 0,
  }
}

function readSession(row: RowReader): Session {
  const port = row.integerOrNull('port', { min: -1, max: 65_535 })
  const query = row.textOrNull('query')
  const waitType = row.textOrNull('waitType')
  return {
    pid: row.integer('pid'),
    startedAt: row.textOrNull('startedAt'),
    changedAt: row.textOrNull('changedAt'),
    kind: kindOf(row),
    application: row.text('application'),
    role: row.text('role'),
    database: row.text('database'),
    address: row.textOrNull('address'),
    // -1 is a Unix socket.
    port: port === -1 ? null : port,
    state: row.textOrNull('state'),
    ageSeconds: row.durationOrNull('ageSeconds'),
    transactionSeconds: row.durationOrNull('transactionSeconds'),
    stateSeconds: row.durationOrNull('stateSeconds'),
    querySeconds: row.durationOrNull('querySeconds'),
    waitEvent: waitType === null ? null : `${waitType}: ${row.textOrNull('waitEvent') ?? ''}`,
    query: query === null ? null : shortenQuery(query),
    lockWaitSeconds: row.durationOrNull('lockWaitSeconds'),
    blockedBy: readPids(row.text('blockedBy')),
    isProtected: row.flag('protected'),
    isOwn: row.flag('own'),
    isSameRole: row.flag('sameRole'),
    isSameDatabase: row.flag('sameDatabase'),
  }
}

/** Without the right to see it, the type is null; PostgreSQL's own processes then have no role either. */
function kindOf(row: RowReader): Session['kind'] {
  const type = row.textOrNull('type')
  if (type === 'client backend' || (type === null && row.text('role') !== '')) return 'client'
  return type === 'autovacuum worker' ? 'autovacuum' : 'other'
}

function readPids(text: string): readonly number[] {
  return text === '' ? [] : text.split(',').map(Number).filter(Number.isSafeInteger)
}
