import { CAPACITY_QUERY, CAPACITY_SOURCE, readCapacity } from '../budget/index.ts'
import { parseAnswer, RowReader, readRows } from '../row-reader.ts'
import type { ActivityRow, ServerSessions } from './fleet-view.ts'
import { parseMemberName } from './member-name.ts'
import { type IgnoredConnections, trustNames } from './trusted-names.ts'

/** Key of the advisory lock for all fleets in a database ("poolguard" and "fleet" in ASCII, cut to four letters each). */
const LOCK = [0x706f6f6c, 0x666c6565] as const

/** Timeout for acquiring the lock. After it, the instance keeps its share and retries later. */
const LOCK_TIMEOUT_MILLIS = 1_000
/** PostgreSQL terminates the session of a process that freezes for this long while it holds the lock. */
const FROZEN_TIMEOUT_MILLIS = 1_000

/**
 * Opens a transaction, acquires the fleets' lock, and reads limits and sessions: one query text, one answer in JSON. Reading is a
 * separate statement after the lock, because a transaction sees `pg_stat_activity` as of its first access
 * (https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-STATS-VIEWS). Every role sees the names of
 * applications, roles and databases, but `backend_type` only for its own sessions. Autovacuum workers have no role and occupy no slot.
 */
export const EXCHANGE_QUERY: string = exchangeQuery('null')

/** The same, and the roles that each session's role is a direct member of. */
export const EXCHANGE_QUERY_WITH_GROUPS: string = exchangeQuery(`(
           select pg_catalog.json_agg(rolname) from pg_catalog.pg_auth_members
             join pg_catalog.pg_roles on pg_roles.oid operator(pg_catalog.=) roleid
            where member operator(pg_catalog.=) usesysid)`)

function exchangeQuery(groups: string): string {
  return `
begin isolation level read committed read only;
set local lock_timeout = ${LOCK_TIMEOUT_MILLIS};
set local statement_timeout = ${2 * LOCK_TIMEOUT_MILLIS};
set local idle_in_transaction_session_timeout = ${FROZEN_TIMEOUT_MILLIS};
select pg_catalog.pg_advisory_xact_lock(${LOCK.join(', ')});
select pg_catalog.json_build_object(
  'capacity', (select pg_catalog.row_to_json(capacity) from (${CAPACITY_QUERY}) capacity),
  'rows', (select pg_catalog.json_agg(activity) from (
    select application_name as "name", usename as "role", usename operator(pg_catalog.=) session_user as "ownRole",
           datname operator(pg_catalog.=) pg_catalog.current_database() as "ownDatabase",
           backend_type is not null as "readable", pg_catalog.count(*)::int as "count", ${groups} as "groups"
      from pg_catalog.pg_stat_activity
     where datname is not null and usename is not null and coalesce(backend_type, 'client backend') operator(pg_catalog.=) 'client backend'
     group by 1, 2, 3, 4, 5, usesysid) activity),
  'parallelWorkers', pg_catalog.current_setting('max_parallel_workers')::int)::pg_catalog.text`
}

/**
 * Tries to acquire the same lock through a pooler, without waiting: a waiter would occupy one of the few server connections.
 * Answers whether the lock was free.
 */
export const TRY_LOCK_QUERY: string = `
begin isolation level read committed read only;
set local statement_timeout = ${2 * LOCK_TIMEOUT_MILLIS};
set local idle_in_transaction_session_timeout = ${FROZEN_TIMEOUT_MILLIS};
select pg_catalog.pg_try_advisory_xact_lock(${LOCK.join(', ')})::pg_catalog.text`

/** Sets the name when the exchange's transaction commits. The name contains no character that needs quoting. */
export function publishStatement(applicationName: string): string {
  if (!/^[\w.#:=,-]*$/.test(applicationName)) throw new Error('the name contains a character that is never published')
  return `set application_name = '${applicationName}'`
}

const SOURCE = "the fleet's query for sessions"

/**
 * Reads the answer to {@link EXCHANGE_QUERY}; undefined if the role cannot read the limits.
 *
 * @throws {InvalidAnswerError} if a column is missing or its value is invalid.
 */
export function readServerSessions(text: string | null | undefined): ServerSessions | undefined {
  if (!text) return undefined
  const answer = (parseAnswer(SOURCE, text) ?? {}) as Partial<Record<'capacity' | 'rows', unknown>>
  const { capacity, rows } = answer
  if (!capacity || !rows) return undefined
  return {
    capacity: readCapacity(new RowReader(CAPACITY_SOURCE, capacity)),
    rows: readRows(SOURCE, rows, readActivity),
    parallelWorkers: new RowReader(SOURCE, answer).integer('parallelWorkers'),
  }
}

function readActivity(row: RowReader): ActivityRow {
  return {
    name: row.textOrNull('name') ?? '',
    role: row.textOrNull('role') ?? '',
    ownRole: row.flag('ownRole'),
    ownDatabase: row.flag('ownDatabase'),
    readable: row.flag('readable'),
    count: row.integer('count'),
    groups: row.texts('groups'),
  }
}

/**
 * Clears the names of connections without a trusted role, so that they belong to no instance. A member of a trusted role stands for that
 * role: with short-lived roles, an instance has connections of several.
 */
export function trustRows(
  rows: readonly ActivityRow[],
  trustedRoles: readonly string[],
): { rows: ActivityRow[]; ignored: readonly IgnoredConnections[] } {
  const { trusted, ignored } = trustNames(rows, ({ name, role = '', groups = [], ownRole, count }) => {
    const member = parseMemberName(name)?.member
    const trustedAs = trustedRoles.find((each) => each === role || groups.includes(each))
    const rank = ownRole ? 0 : trustedAs === undefined ? -1 : 1
    return member === undefined ? undefined : { member, role: trustedAs ?? role, rank, count }
  })
  return { rows: rows.map((row) => (trusted.has(row) ? row : { ...row, name: '' })), ignored }
}
