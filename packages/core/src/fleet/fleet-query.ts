import { CAPACITY_QUERY, CAPACITY_SOURCE, readCapacity } from '../budget/index.ts'
import { parseAnswer, RowReader, readRows } from '../row-reader.ts'
import type { ActivityRow, FleetLook } from './fleet-view.ts'
import { parseMemberName } from './member-name.ts'
import { type IgnoredConnections, trustNames } from './trusted-names.ts'

/** One lock for all fleets in a database ("poolguard" and "fleet" in ASCII, cut to four letters each). */
const LOCK = [0x706f6f6c, 0x666c6565] as const

/** How long to wait for the others: whoever does not get the lock in time keeps what it has, and comes again. */
const LOCK_MILLIS = 1_000
/** A process that freezes while it has the lock is cut off after so long. */
const FROZEN_MILLIS = 1_000

/**
 * Opens a transaction, waits for the lock of the fleets, and looks: one text, one answer with one JSON text. The look is a
 * statement of its own behind the lock, because a transaction sees `pg_stat_activity` as it was at its first look
 * (https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-STATS-VIEWS). Names of applications, roles and
 * databases are shown to every role; `backend_type` only of one's own. Autovacuum's workers have no role and take no slot.
 */
export const LOOK: string = `
begin isolation level read committed read only;
set local lock_timeout = ${LOCK_MILLIS};
set local statement_timeout = ${2 * LOCK_MILLIS};
set local idle_in_transaction_session_timeout = ${FROZEN_MILLIS};
select pg_catalog.pg_advisory_xact_lock(${LOCK.join(', ')});
select pg_catalog.json_build_object(
  'capacity', (select pg_catalog.row_to_json(capacity) from (${CAPACITY_QUERY}) capacity),
  'rows', (select pg_catalog.json_agg(activity) from (
    select application_name as "name", usename as "role", usename operator(pg_catalog.=) session_user as "ownRole",
           datname operator(pg_catalog.=) pg_catalog.current_database() as "ownDatabase",
           backend_type is not null as "readable", pg_catalog.count(*)::int as "count"
      from pg_catalog.pg_stat_activity
     where datname is not null and usename is not null and coalesce(backend_type, 'client backend') operator(pg_catalog.=) 'client backend'
     group by 1, 2, 3, 4, 5) activity),
  'parallelWorkers', pg_catalog.current_setting('max_parallel_workers')::int)::pg_catalog.text`

/**
 * The same lock, for a look through a pooler: nobody waits for it there, since whoever waits would keep one of the few
 * server connections. Answers whether it was free.
 */
export const LOCK_IF_FREE: string = `
begin isolation level read committed read only;
set local statement_timeout = ${2 * LOCK_MILLIS};
set local idle_in_transaction_session_timeout = ${FROZEN_MILLIS};
select pg_catalog.pg_try_advisory_xact_lock(${LOCK.join(', ')})::pg_catalog.text`

/** Leaves the name on the connection, when the transaction of the look is committed. It holds nothing that would have to be quoted. */
export function publishStatement(applicationName: string): string {
  if (!/^[\w.#:=,-]*$/.test(applicationName)) throw new Error('a name with such characters is never published')
  return `set application_name = '${applicationName}'`
}

const SOURCE = "the fleet's look at the server"

/**
 * Reads the answer to {@link LOOK}; undefined where the database does not tell its limits.
 *
 * @throws {InvalidAnswerError} where a column is missing or holds what cannot be.
 */
export function readLookAnswer(text: string | null | undefined): FleetLook | undefined {
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
  }
}

/** Takes the names from connections that are not of a trusted role, so that they are nobody's. */
export function trustRows(
  rows: readonly ActivityRow[],
  trustedRoles: readonly string[],
): { rows: ActivityRow[]; ignored: readonly IgnoredConnections[] } {
  const { trusted, ignored } = trustNames(rows, ({ name, role = '', ownRole, count }) => {
    const member = parseMemberName(name)?.member
    const rank = ownRole ? 0 : trustedRoles.includes(role) ? 1 : -1
    return member === undefined ? undefined : { member, role, rank, count }
  })
  return { rows: rows.map((row) => (trusted.has(row) ? row : { ...row, name: '' })), ignored }
}
