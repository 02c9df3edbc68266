import { type ConnectFailure, InvalidAnswerError, type Topology } from '@poolguard/core'
import {
  CAPACITY_QUERY,
  CAPACITY_SOURCE,
  type ConnectionString,
  classifyConnectFailure,
  type RowReader,
  readCapacity,
  readLoad,
  readOneRow,
  readRows,
  readUsage,
  SIZING_QUERY,
  USAGE_QUERY,
} from '@poolguard/core/postgres'
import { describeConnectError, originOf } from '../connect-errors/cannot-connect.ts'
import { withPlainTexts } from '../output/printable.ts'
import { contact, type Pool } from './contact.ts'
import { OPEN_SLOTS_QUERY, readOpenSlots } from './open-slots.ts'
import type { ApplicationSessions, ServerFacts, Unreached } from './server-facts.ts'

const APPLICATION = 'poolguard doctor'

const SETTINGS_QUERY = `
select pg_catalog.current_setting('server_version') as "version", session_user as "role",
       database.datname as "database", role.rolsuper as "superuser",
       (select setting::int from pg_catalog.pg_settings
         where name operator(pg_catalog.=) 'idle_in_transaction_session_timeout') as "idleInTransactionTimeoutMillis",
       exists (select from pg_catalog.pg_db_role_setting, pg_catalog.unnest(setconfig) as line
                where setrole operator(pg_catalog.<>) 0 and setrole operator(pg_catalog.<>) role.oid
                  and (setdatabase operator(pg_catalog.=) 0 or setdatabase operator(pg_catalog.=) database.oid)
                  and line operator(pg_catalog.~) '^idle_in_transaction_session_timeout=.*[1-9]') as "boundsOtherRoles",
       pg_catalog.pg_has_role(session_user, 'pg_read_all_stats', 'usage') as "seesAll"
  from pg_catalog.pg_roles role, pg_catalog.pg_database database
 where role.rolname operator(pg_catalog.=) session_user and database.datname operator(pg_catalog.=) pg_catalog.current_database()`

const APPLICATIONS_QUERY = `
select application as "application", usename as "role", pg_catalog.count(*)::int as "sessions",
       pg_catalog.count(*) filter (where state operator(pg_catalog.=) 'idle' and unchanged operator(pg_catalog.>) interval '10 minutes')::int as "longIdle",
       pg_catalog.count(*) filter (where in_transaction and unchanged operator(pg_catalog.>) interval '10 seconds')::int as "idleInTransaction",
       coalesce(extract(epoch from pg_catalog.max(unchanged) filter (where in_transaction)), 0)::double precision
         as "longestIdleInTransactionSeconds"
  from (select coalesce(application_name, '') as application, usename, state,
               pg_catalog.clock_timestamp() operator(pg_catalog.-) state_change as unchanged,
               pg_catalog.starts_with(state, 'idle in transaction') as in_transaction
          from pg_catalog.pg_stat_activity
         where datname is not null and usename is not null and pid operator(pg_catalog.<>) pg_catalog.pg_backend_pid()
           and coalesce(backend_type, 'client backend') operator(pg_catalog.=) 'client backend') sessions
 where application operator(pg_catalog.<>) '${APPLICATION}'
 group by 1, 2
 order by 3 desc, 1, 2`

/** Reads a database's limits and sessions with at most two connections. Resolves with {@link Unreached} if it cannot connect. */
export async function readServerFacts(url: ConnectionString): Promise<ServerFacts | Unreached> {
  await using database = contact(url, { applicationName: APPLICATION, max: 2 })
  try {
    const topology = await database.reach()
    return withPlainTexts(await readFacts(database.pool, topology))
  } catch (error) {
    return unreached(url, error)
  }
}

/** @throws {InvalidAnswerError} if the server's answer is invalid. */
async function readFacts(pool: Pool, topology: Topology): Promise<ServerFacts> {
  const ask = async (query: string): Promise<unknown> => (await pool.query(query)).rows
  const settings = readOneRow('the query for the settings', await ask(SETTINGS_QUERY), readSettings)
  const capacity = readOneRow(CAPACITY_SOURCE, await ask(CAPACITY_QUERY), readCapacity)
  const slots = readOneRow('the query for open slots', await ask(OPEN_SLOTS_QUERY), readOpenSlots)
  const usage = readRows('the query for the connections', await ask(USAGE_QUERY), readUsage)
  const sessions = await ask(APPLICATIONS_QUERY)
  const loads = readRows('the query for the load', await ask(SIZING_QUERY).catch(() => []), readLoad)
  return {
    ...settings,
    ...slots,
    topology,
    capacity,
    usage: usage.filter(({ application }) => application !== APPLICATION),
    applications: readRows('the query for the sessions', sessions, readSessions),
    load: loads[0],
  }
}

function readSettings(
  row: RowReader,
): Omit<ServerFacts, 'topology' | 'capacity' | 'openSlots' | 'usage' | 'load' | 'applications'> {
  return {
    version: row.text('version'),
    role: row.text('role'),
    database: row.text('database'),
    superuser: row.flag('superuser'),
    idleInTransactionTimeoutMillis: row.integer('idleInTransactionTimeoutMillis'),
    boundsOtherRoles: row.flag('boundsOtherRoles'),
    seesAll: row.flag('seesAll'),
  }
}

function readSessions(row: RowReader): ApplicationSessions {
  return {
    application: row.text('application'),
    role: row.text('role'),
    sessions: row.integer('sessions'),
    longIdle: row.integer('longIdle'),
    idleInTransaction: row.integer('idleInTransaction'),
    longestIdleInTransactionSeconds: row.duration('longestIdleInTransactionSeconds'),
  }
}

function unreached(url: ConnectionString, error: unknown): Unreached {
  const cause = originOf(error)
  const failure: ConnectFailure = classifyConnectFailure(cause)
  if (cause instanceof InvalidAnswerError) return { failure, message: cause.problem }
  return { failure, ...describeConnectError(url, cause) }
}
